# What a source archive has beside the code: scripts, whole-system tests, documents.
EXTRA_DIST += scripts .clang-format .clang-tidy .ci conf doc debian tests/lib tests/model tests/system pytest.ini Dockerfile compose.yaml .dockerignore
dist_doc_DATA = README.md ChangeLog LICENSE doc/architecture.md doc/running.md doc/performance.md doc/exactly-once.md doc/testing.md doc/security.md SECURITY.md doc/control-protocol.md doc/monitoring.md doc/operations.md doc/status-page.png conf/firehosed.conf

# For whoever installs from source: how it is started, and what goes with it, as the Debian package has it.
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/firehosed.service conf/firehosed.init conf/firehosed.logrotate conf/firehosed.sysusers \
	conf/firehosed.tmpfiles compose.yaml
dist_pkgdata_DATA = conf/prometheus-alerts.yml conf/grafana-dashboard.json conf/kubernetes/firehosed.yaml

# Every key, commented out, where firehosed looks without -c. A file that is there belongs to the operator.
config_sample = $(srcdir)/conf/firehosed.conf
config_file = $(DESTDIR)$(sysconfdir)/firehosed.conf
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(sysconfdir)"
	test -e "$(config_file)" || $(INSTALL_DATA) "$(config_sample)" "$(config_file)"
uninstall-local:
	! cmp -s "$(config_sample)" "$(config_file)" || rm -f "$(config_file)"

dist-hook:
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +
