# What a source archive has beside the code: scripts, whole-system tests, documents.
EXTRA_DIST += scripts .clang-format .clang-tidy .ci conf doc debian tests/lib tests/model tests/system pytest.ini Dockerfile compose.yaml .dockerignore
dist_doc_DATA = README.md ChangeLog LICENSE doc/architecture.md doc/running.md doc/performance.md doc/exactly-once.md doc/testing.md doc/security.md SECURITY.md doc/control-protocol.md doc/monitoring.md doc/operations.md doc/status-page.png conf/firehosed.conf

# For whoever installs from source: how it is started, and what goes with it, as the Debian package has it.
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/firehosed.service conf/firehosed.init conf/firehosed.logrotate conf/firehosed.sysusers \
	conf/prometheus-alerts.yml conf/grafana-dashboard.json \
	conf/firehosed.tmpfiles conf/kubernetes/firehosed.yaml compose.yaml

dist-hook:
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +
