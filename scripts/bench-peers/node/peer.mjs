// The firehose into a Redis stream with @skyware/firehose and ioredis, commands pipelined by themselves.
import { Firehose } from "@skyware/firehose";
import { Redis } from "ioredis";
import WebSocket from "ws";

const [relay, redisUrl, stream, maxLen] = process.argv.slice(2);
const CURSOR_KEY = "firehose:python_cursor";
const CURSOR_INTERVAL_MS = 1000;
const [PAUSE_ABOVE, RESUME_BELOW] = [2000, 500]; // events that were read and are not written yet

const redis = new Redis(redisUrl, { enableAutoPipelining: true });
const firehose = new Firehose({ relay, ws: WebSocket, autoReconnect: false });

let open = 0;
let cursor = 0;

firehose.ws.addEventListener("message", () => {
  if (++open === PAUSE_ABOVE) firehose.ws.pause();
});

function done() {
  if (--open === RESUME_BELOW) firehose.ws.resume();
}

function add(type, data, seq) {
  redis.xadd(stream, "MAXLEN", "~", maxLen, "*", "type", type, "data", JSON.stringify(data), "seq", seq).then(
    () => {
      cursor = Math.max(cursor, seq);
      done();
    },
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}

firehose.on("commit", ({ repo, ops, seq }) => {
  const kept = [];
  for (const op of ops) {
    if (op.action === "delete") kept.push({ action: op.action, path: op.path });
    else if (op.record.$type) kept.push({ action: op.action, path: op.path, cid: op.cid, record: op.record });
  }
  add("commit", { repo, ops: kept }, seq);
});
firehose.on("identity", ({ did, handle, seq }) => add("identity", { did, handle: handle ?? did }, seq));
firehose.on("account", ({ did, active, seq }) => add("account", { did, active }, seq));
firehose.on("sync", done);
firehose.on("info", done);
firehose.on("unknown", done);
firehose.on("error", ({ error }) => {
  console.error(error);
  done();
});
firehose.on("websocketError", ({ error }) => {
  console.error(error);
  process.exit(1);
});

setInterval(() => redis.set(CURSOR_KEY, cursor), CURSOR_INTERVAL_MS);
firehose.start();
