/* show_config.c: prints the configuration in use. */
#include "config.h"

#include <stdio.h>

#include "show.h"

void show_config(const json_t *config)
{
    const json_t *setting, *settings = json_object_get(config, "settings");
    const char *file = member_text(config, "file");
    size_t i;
    printf("%s# %s%s\n", colour_on(FAINT), file[0] != '\0' ? file : "no file: defaults and environment", colour_off());
    json_array_foreach(settings, i, setting)
    {
        bool is_default = member_flag(setting, "is_default");
        printf("%s%-22s = %s%s", is_default ? colour_on(FAINT) : "", member_text(setting, "key"),
               member_text(setting, "value"), is_default ? colour_off() : "");
        if (!is_default)
            printf("%s  # %s%s", colour_on(FAINT), member_text(setting, "origin"), colour_off());
        putchar('\n');
    }
}

void show_setting(const json_t *config)
{
    const json_t *s = json_array_get(json_object_get(config, "settings"), 0);
    const char *fallback = member_text(s, "default");
    printf("%s = %s\n", member_text(s, "key"), member_text(s, "value"));
    printf("  from       %s\n", member_text(s, "origin"));
    printf("  default    %s\n", fallback[0] != '\0' ? fallback : "(empty)");
    printf("  a change   %s\n", member_flag(s, "reloadable") ? "takes effect on reload" : "needs a restart");
    printf("%s\n", member_text(s, "help"));
}
