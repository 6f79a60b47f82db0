"""Containers: what Dockerfile, compose.yaml and the Kubernetes manifests say about firehosed is so."""

import json
import re

import pytest

import events
from firehosed import ROOT, clean_environment, run
from ports import free_port
from waiting import wait_for

yaml = pytest.importorskip("yaml", reason="python3-yaml is not here")

MANIFESTS = ROOT / "conf" / "kubernetes" / "firehosed.yaml"

# The fields of the Kubernetes API (v1, apps/v1) that the manifests may use, with their types. A leading "!" marks a
# required field; [x] is a list of x, {str: x} a map. A field that is not here is refused, as the API server would do.
META = {"!name": str, "labels": {str: str}, "annotations": {str: str}}
PROBE = {
    "!exec": {"!command": [str]},
    "initialDelaySeconds": int, "periodSeconds": int, "timeoutSeconds": int, "failureThreshold": int,
}  # fmt: skip
CONTAINER = {
    "!name": str, "!image": str, "args": [str], "imagePullPolicy": str,
    "envFrom": [{"configMapRef": {"!name": str}, "secretRef": {"!name": str}}],
    "ports": [{"name": str, "!containerPort": int, "protocol": str}],
    "startupProbe": PROBE, "livenessProbe": PROBE, "readinessProbe": PROBE,
    "resources": {"requests": {str: str}, "limits": {str: str}},
    "securityContext": {
        "allowPrivilegeEscalation": bool, "readOnlyRootFilesystem": bool,
        "capabilities": {"drop": [str]},
    },
    "volumeMounts": [{"!name": str, "!mountPath": str, "readOnly": bool}],
}  # fmt: skip
POD = {
    "terminationGracePeriodSeconds": int, "automountServiceAccountToken": bool, "enableServiceLinks": bool,
    "securityContext": {
        "runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int, "fsGroup": int, "seccompProfile": {"!type": str},
    },
    "!containers": [CONTAINER],
    "volumes": [{"!name": str, "emptyDir": {"medium": str, "sizeLimit": str}}],
}  # fmt: skip
KINDS = {
    ("v1", "ConfigMap"): {"data": {str: str}},
    ("v1", "Secret"): {"type": str, "stringData": {str: str}},
    ("apps/v1", "Deployment"): {
        "!spec": {
            "replicas": int, "strategy": {"type": str}, "!selector": {"!matchLabels": {str: str}},
            "!template": {"!metadata": {"!labels": {str: str}, "annotations": {str: str}}, "!spec": POD},
        },
    },
}  # fmt: skip


def faults(value, wanted, path=""):
    """Returns what is wrong with a value, as a list of texts."""
    if isinstance(wanted, list):
        if not isinstance(value, list) or not value:
            return [f"{path}: expected a list"]
        return [fault for i, one in enumerate(value) for fault in faults(one, wanted[0], f"{path}[{i}]")]
    if not isinstance(wanted, dict):
        return [] if type(value) is wanted else [f"{path}: {value!r} is not of type {wanted.__name__}"]
    if not isinstance(value, dict):
        return [f"{path}: expected a map"]
    if str in wanted:
        return [fault for key in value for fault in faults(value[key], wanted[str], f"{path}.{key}")]
    fields = {name.lstrip("!"): kind for name, kind in wanted.items()}
    missing = [f"{path}.{name[1:]} is missing" for name in wanted if name[0] == "!" and name[1:] not in value]
    unknown = [f"{path}.{name} is no field" for name in value if name not in fields]
    known = [fault for name in value if name in fields for fault in faults(value[name], fields[name], f"{path}.{name}")]
    return missing + unknown + known


def manifest_faults(document):
    kind = (document.get("apiVersion"), document.get("kind"))
    if kind not in KINDS:
        return [f"{kind} is no kind"]
    return faults(document, {"!apiVersion": str, "!kind": str, "!metadata": META, **KINDS[kind]}, kind[1])


@pytest.fixture
def manifests():
    return {document["kind"]: document for document in yaml.safe_load_all(MANIFESTS.read_text())}


@pytest.fixture
def pod(manifests):
    return manifests["Deployment"]["spec"]["template"]["spec"]


@pytest.fixture
def variables(manifests):
    return {**manifests["ConfigMap"]["data"], **manifests["Secret"]["stringData"]}


def test_manifests_have_only_fields_that_there_are(manifests):
    assert set(manifests) == {"ConfigMap", "Secret", "Deployment"}
    assert [fault for document in manifests.values() for fault in manifest_faults(document)] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda spec: spec.update(replica=1), ".replica is no field"),
        (lambda spec: spec.pop("selector"), ".selector is missing"),
        (lambda spec: spec.update(replicas="1"), "'1' is not of type int"),
        (lambda spec: spec["template"]["spec"]["containers"][0].pop("image"), ".image is missing"),
        (lambda spec: spec["template"]["spec"]["containers"][0]["livenessProbe"].update(exec="x"), "expected a map"),
        (lambda spec: spec["template"]["spec"].update(containers=[]), "expected a list"),
    ],
)
def test_the_check_of_the_manifests_finds_mistakes(manifests, change, expected):
    change(manifests["Deployment"]["spec"])
    found = manifest_faults(manifests["Deployment"])
    assert len(found) == 1 and expected in found[0]


def test_parts_of_the_manifests_fit_together(manifests, pod):
    template = manifests["Deployment"]["spec"]["template"]
    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    container = pod["containers"][0]
    assert container["envFrom"] == [
        {"configMapRef": {"name": manifests["ConfigMap"]["metadata"]["name"]}},
        {"secretRef": {"name": manifests["Secret"]["metadata"]["name"]}},
    ]
    assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"] for volume in pod["volumes"]]
    port = container["ports"][0]["containerPort"]
    assert manifests["ConfigMap"]["data"]["FIREHOSED_HTTP_LISTEN"] == f"*:{port}"
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port)


def test_pod_gets_longer_to_end_than_firehosed_takes(pod):
    shutdown = re.search(r"^#shutdown_timeout = (\d+)s$", run("firehosed", "--sample").stdout, re.M)
    assert pod["terminationGracePeriodSeconds"] > int(shutdown[1])


def test_pod_runs_as_the_user_of_the_image(pod):
    user = re.search(r"useradd .*--uid (\d+) --gid (\d+)", (ROOT / "Dockerfile").read_text())
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(user[1]), int(user[2]))


def test_variables_of_the_manifests_are_keys_with_valid_values(variables):
    done = run("firehosed", "-t", environment=clean_environment(**variables))
    assert done.returncode == 0, done.stderr
    assert "FIREHOSED_REDIS" in variables and all(name.startswith("FIREHOSED_") for name in variables)


def test_variables_of_compose_are_keys_with_valid_values():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    done = run("firehosed", "-t", environment=clean_environment(**compose["services"]["firehosed"]["environment"]))
    assert done.returncode == 0, done.stderr


def health_check():
    found = re.search(r'^HEALTHCHECK .* CMD (\[.*\])$', (ROOT / "Dockerfile").read_text(), re.M)
    return json.loads(found[1])


def ask(command, daemon):
    """Runs a probe as the container runtime does, with the built program in place of the installed one."""
    assert command[0] == "/usr/bin/firehosectl"
    environment = clean_environment(FIREHOSED_CONTROL_SOCKET=str(daemon.control_socket))
    return run("firehosectl", *command[1:], environment=environment).returncode


def test_probes_tell_a_container_that_works_from_one_that_does_not(lab, pod, variables):
    s = lab.system(events.make(50), start=False)
    here = {
        "FIREHOSED_RELAY": s.relay.url, "FIREHOSED_REDIS": s.redis.url(),
        "FIREHOSED_HTTP_LISTEN": f"127.0.0.1:{free_port()}",
    }  # fmt: skip
    s.daemon.environment = {**variables, **here}
    container = pod["containers"][0]
    startup, live, ready = (
        container[name]["exec"]["command"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    )
    assert ask(live, s.daemon) == 3  # no process
    s.daemon.start()
    s.assert_all()
    assert [ask(command, s.daemon) for command in (startup, live, ready, health_check())] == [0, 0, 0, 0]
    s.relay.stop()
    s.redis.kill()
    s.daemon.wait_status(lambda status: not status["relay"]["connected"] and status["redis"]["state"] != "ready",
                         "to lose both")  # fmt: skip
    assert [ask(command, s.daemon) for command in (startup, live, ready, health_check())] == [0, 0, 1, 1]
    s.redis.start()
    s.relay.start()
    wait_for(lambda: ask(ready, s.daemon) == 0, "firehosed to be ready again")
