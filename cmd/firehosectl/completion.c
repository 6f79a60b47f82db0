/* completion.c: makes the scripts from the table of commands. */
#include "config.h"

#include "completion.h"

#include <stdio.h>
#include <string.h>

static void print_words(const char *separator)
{
    for (const struct command *c = command_table; c->name != NULL; c++)
        printf("%s%s", c == command_table ? "" : separator, c->name);
}

/* Prints the options of one command, each with `before` in front. */
static void print_options(const struct command *c, const char *before)
{
    static const struct {
        char letter;
        const char *name;
    } options[] = {{'y', "--yes"}, {'c', "--collection"}, {'d', "--did"}, {'n', "-n"}};
    printf("%s--json", before);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strchr(c->options, options[i].letter) != NULL)
            printf("%s%s", before, options[i].name);
}

/* The script asks the daemon for the keys of the configuration. */
static const char keys_of_daemon[] = "$(firehosectl config --json 2>/dev/null | "
                                     "sed -n 's/^ *\"key\": \"\\(.*\\)\",$/\\1/p')";

static void print_cases(const char *reply)
{
    for (const struct command *c = command_table; c->name != NULL; c++) {
        printf("    %s) %s\"", c->name, reply);
        print_options(c, " ");
        printf(" %s", strcmp(c->words, "KEY") == 0 ? keys_of_daemon : c->words);
        puts("\" ;;");
    }
}

static void print_bash(void)
{
    puts("# bash completion of firehosectl: firehosectl completion bash > /etc/bash_completion.d/firehosectl\n"
         "_firehosectl() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word words command=\n"
         "  case $previous in\n"
         "    -s | --socket) mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return ;;\n"
         "  esac\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in\n"
         "      -*) ;;");
    printf("      ");
    print_words(" | ");
    puts(") command=$word; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $command in");
    print_cases("words=");
    printf("    *) words=\"-s -h -V --json ");
    print_words(" ");
    puts("\" ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -F _firehosectl firehosectl");
}

static void print_zsh(void)
{
    puts("#compdef firehosectl\n"
         "# zsh completion: firehosectl completion zsh > /usr/local/share/zsh/site-functions/_firehosectl\n"
         "_firehosectl() {\n"
         "  local word command= words_here\n"
         "  local -a commands=(");
    for (const struct command *c = command_table; c->name != NULL; c++)
        printf("    '%s:%s'\n", c->name, c->help);
    puts("  )\n"
         "  [[ ${words[CURRENT-1]} == (-s|--socket) ]] && { _files; return }\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    (( ${commands[(I)$word:*]} )) && { command=$word; break }\n"
         "  done\n"
         "  case $command in");
    print_cases("words_here=");
    puts("    *) _describe command commands; return ;;\n"
         "  esac\n"
         "  compadd -- ${=words_here}\n"
         "}\n"
         "_firehosectl \"$@\"");
}

int run_completion(const struct invocation *in)
{
    if (strcmp(in->argv[0], "bash") == 0)
        print_bash();
    else if (strcmp(in->argv[0], "zsh") == 0)
        print_zsh();
    else
        return command_usage(in, "completion: '%s' is neither bash nor zsh", in->argv[0]);
    return 0;
}
