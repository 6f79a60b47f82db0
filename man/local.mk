# Manual pages; firehosed.conf.5 is written in part by scripts/update-conf.
dist_man_MANS += man/firehosed.8 man/firehosed.conf.5 man/firehosectl.1 man/firehose-replay.1
