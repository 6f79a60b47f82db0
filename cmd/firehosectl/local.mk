bin_PROGRAMS += firehosectl
firehosectl_SOURCES = \
	cmd/firehosectl/client.c cmd/firehosectl/client.h \
	cmd/firehosectl/command.c cmd/firehosectl/command.h \
	cmd/firehosectl/commands.c \
	cmd/firehosectl/completion.c cmd/firehosectl/completion.h \
	cmd/firehosectl/control.c cmd/firehosectl/control.h \
	cmd/firehosectl/dead_letters.c cmd/firehosectl/dead_letters.h \
	cmd/firehosectl/main.c \
	cmd/firehosectl/screen.c cmd/firehosectl/screen.h \
	cmd/firehosectl/show.c cmd/firehosectl/show.h \
	cmd/firehosectl/show_config.c \
	cmd/firehosectl/show_status.c \
	cmd/firehosectl/spark.c cmd/firehosectl/spark.h \
	cmd/firehosectl/tail.c cmd/firehosectl/tail.h \
	cmd/firehosectl/top.c cmd/firehosectl/top.h cmd/firehosectl/top_state.h \
	cmd/firehosectl/top_panes.c cmd/firehosectl/top_panes.h \
	cmd/firehosectl/top_view.c cmd/firehosectl/top_view.h
firehosectl_LDADD = libbase.a $(JANSSON_LIBS) $(NCURSES_LIBS)

# The program prints its own completions.
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = completions/bash/firehosectl
zshcompletiondir = $(datadir)/zsh/site-functions
zshcompletion_DATA = completions/zsh/_firehosectl
CLEANFILES += $(bashcompletion_DATA) $(zshcompletion_DATA)
completions/bash/firehosectl: firehosectl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./firehosectl$(EXEEXT) completion bash >$@
completions/zsh/_firehosectl: firehosectl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && ./firehosectl$(EXEEXT) completion zsh >$@
