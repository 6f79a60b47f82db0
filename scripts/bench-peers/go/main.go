// The firehose into a Redis stream with indigo's types and go-redis.
//
// One goroutine reads messages and decodes envelopes; shards, chosen by repo, decode records and write what has
// gathered in one pipeline. Channels are bounded: Redis' pace reaches the relay.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"log"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	comatproto "github.com/bluesky-social/indigo/api/atproto"
	"github.com/bluesky-social/indigo/atproto/atdata"
	"github.com/bluesky-social/indigo/events"
	"github.com/gorilla/websocket"
	"github.com/ipfs/go-cid"
	"github.com/redis/go-redis/v9"
)

const (
	cursorKey      = "firehose:python_cursor"
	cursorInterval = time.Second
	batchEvents    = 256
	queueEvents    = 1024
	bufferBytes    = 256 << 10
)

type op struct {
	Action string         `json:"action"`
	Path   string         `json:"path"`
	CID    string         `json:"cid,omitempty"`
	Record map[string]any `json:"record,omitempty"`
}

type commit struct {
	Repo string `json:"repo"`
	Ops  []op   `json:"ops"`
}

type identity struct {
	DID    string `json:"did"`
	Handle string `json:"handle"`
}

type account struct {
	DID    string `json:"did"`
	Active bool   `json:"active"`
}

// event is an envelope on its way to a shard; exactly one of the three is set.
type event struct {
	seq      int64
	commit   *comatproto.SyncSubscribeRepos_Commit
	identity *comatproto.SyncSubscribeRepos_Identity
	account  *comatproto.SyncSubscribeRepos_Account
}

type writer struct {
	db     *redis.Client
	stream string
	maxLen int64
	cursor atomic.Int64
}

func main() {
	maxLen, err := strconv.ParseInt(os.Args[4], 10, 64)
	check(err)
	options, err := redis.ParseURL(os.Args[2])
	check(err)
	w := &writer{db: redis.NewClient(options), stream: os.Args[3], maxLen: maxLen}
	shards := make([]chan event, runtime.GOMAXPROCS(0))
	for i := range shards {
		shards[i] = make(chan event, queueEvents)
		go w.run(shards[i])
	}
	go w.saveCursor()
	check(read(os.Args[1], shards))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// ---- reading ----

func read(relay string, shards []chan event) error {
	dialer := websocket.Dialer{ReadBufferSize: bufferBytes}
	conn, _, err := dialer.Dial(relay+"/xrpc/com.atproto.sync.subscribeRepos", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	var message bytes.Buffer
	for {
		_, reader, err := conn.NextReader()
		if err != nil {
			return err
		}
		message.Reset()
		if _, err := message.ReadFrom(reader); err != nil {
			return err
		}
		if err := dispatch(bytes.NewReader(message.Bytes()), shards); err != nil {
			log.Print("a frame is left out: ", err)
		}
	}
}

func dispatch(frame *bytes.Reader, shards []chan event) error {
	var header events.EventHeader
	if err := header.UnmarshalCBOR(frame); err != nil {
		return err
	}
	if header.Op != events.EvtKindMessage {
		return errors.New("an error frame")
	}
	var e event
	var did string
	switch header.MsgType {
	case "#commit":
		e.commit = new(comatproto.SyncSubscribeRepos_Commit)
		if err := e.commit.UnmarshalCBOR(frame); err != nil {
			return err
		}
		e.seq, did = e.commit.Seq, e.commit.Repo
	case "#identity":
		e.identity = new(comatproto.SyncSubscribeRepos_Identity)
		if err := e.identity.UnmarshalCBOR(frame); err != nil {
			return err
		}
		e.seq, did = e.identity.Seq, e.identity.Did
	case "#account":
		e.account = new(comatproto.SyncSubscribeRepos_Account)
		if err := e.account.UnmarshalCBOR(frame); err != nil {
			return err
		}
		e.seq, did = e.account.Seq, e.account.Did
	default:
		return nil
	}
	hash := fnv.New32a()
	io.WriteString(hash, did)
	shards[hash.Sum32()%uint32(len(shards))] <- e
	return nil
}

// ---- decoding ----

// section takes one length-prefixed piece of a CAR.
func section(car []byte) (piece, rest []byte, err error) {
	length, n := binary.Uvarint(car)
	if n <= 0 || length > uint64(len(car)-n) {
		return nil, nil, errors.New("a broken CAR")
	}
	return car[n : n+int(length)], car[n+int(length):], nil
}

// blocksOf lists the blocks of a CAR by the bytes of their CIDs, unhashed.
func blocksOf(car []byte, into map[string][]byte) error {
	clear(into)
	if len(car) == 0 {
		return nil
	}
	_, rest, err := section(car)
	for err == nil && len(rest) > 0 {
		var piece []byte
		piece, rest, err = section(rest)
		if err != nil {
			break
		}
		var n int
		if n, _, err = cid.CidFromBytes(piece); err == nil {
			into[string(piece[:n])] = piece[n:]
		}
	}
	return err
}

func isAuthentic(id cid.Cid, block []byte) bool {
	digest := sha256.Sum256(block)
	return bytes.HasSuffix(id.Bytes(), digest[:])
}

func commitOf(c *comatproto.SyncSubscribeRepos_Commit, blocks map[string][]byte) (*commit, error) {
	if err := blocksOf(c.Blocks, blocks); err != nil {
		return nil, err
	}
	out := &commit{Repo: c.Repo, Ops: make([]op, 0, len(c.Ops))}
	for _, o := range c.Ops {
		if o.Action == "delete" {
			out.Ops = append(out.Ops, op{Action: o.Action, Path: o.Path})
			continue
		}
		if o.Cid == nil {
			continue
		}
		id := cid.Cid(*o.Cid)
		block, found := blocks[id.KeyString()]
		if !found || !isAuthentic(id, block) {
			continue
		}
		record, err := atdata.UnmarshalCBOR(block)
		if name, _ := record["$type"].(string); err != nil || name == "" {
			continue
		}
		out.Ops = append(out.Ops, op{Action: o.Action, Path: o.Path, CID: id.String(), Record: record})
	}
	return out, nil
}

func decode(e event, blocks map[string][]byte) (kind string, data any, err error) {
	switch {
	case e.commit != nil:
		data, err = commitOf(e.commit, blocks)
		return "commit", data, err
	case e.identity != nil:
		handle := e.identity.Did
		if e.identity.Handle != nil {
			handle = *e.identity.Handle
		}
		return "identity", identity{e.identity.Did, handle}, nil
	default:
		return "account", account{e.account.Did, e.account.Active}, nil
	}
}

// ---- writing ----

func (w *writer) run(shard chan event) {
	pipe := w.db.Pipeline()
	blocks := map[string][]byte{}
	for e := range shard {
		last := e.seq
		for open := true; open; {
			w.add(pipe, e, blocks)
			open = false
			if pipe.Len() < batchEvents {
				select {
				case e = <-shard:
					last, open = e.seq, true
				default:
				}
			}
		}
		_, err := pipe.Exec(context.Background())
		check(err)
		w.cursor.Store(last)
	}
}

func (w *writer) add(pipe redis.Pipeliner, e event, blocks map[string][]byte) {
	kind, data, err := decode(e, blocks)
	if err != nil {
		log.Print("an event is left out: ", err)
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(data))
	pipe.XAdd(context.Background(), &redis.XAddArgs{
		Stream: w.stream, MaxLen: w.maxLen, Approx: true,
		Values: []any{"type", kind, "data", bytes.TrimRight(text.Bytes(), "\n"), "seq", e.seq},
	})
}

func (w *writer) saveCursor() {
	for range time.Tick(cursorInterval) {
		w.db.Set(context.Background(), cursorKey, w.cursor.Load(), 0)
	}
}
