# What a source archive has beside the code: scripts, whole-system tests, documents.
EXTRA_DIST += scripts .ci conf doc tests/system
dist_doc_DATA = README.md ChangeLog LICENSE doc/running.md doc/control-protocol.md conf/firehosed.conf

dist-hook:
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +
