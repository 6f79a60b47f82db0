#include "config.h"

#include "screen.h"

#define NCURSES_NOMACROS /* its macros would replace names of this project */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name that curses.h looks for */
#define _XOPEN_SOURCE_EXTENDED 1
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

enum { LINE_CELLS = 1024 };

static struct {
    bool is_open, has_colour, has_unicode, has_termios;
    struct termios before;
    char restore[128]; /* the sequences that restore the terminal, for a signal handler, which must not call ncurses */
    size_t restore_bytes;
} the_screen;

static volatile sig_atomic_t must_end;

static void on_end(int number) { must_end = number; }

/* Restores the terminal after a crash, without ncurses, which is not safe here. Then lets the signal end the
 * program. */
static void on_fault(int number)
{
    ssize_t ignored = write(STDOUT_FILENO, the_screen.restore, the_screen.restore_bytes);
    (void)ignored;
    if (the_screen.has_termios)
        tcsetattr(STDIN_FILENO, TCSANOW, &the_screen.before);
    signal(number, SIG_DFL);
    raise(number);
}

static void keep_string(const char *capability)
{
    const char *text = tigetstr(capability);
    if (text == NULL || text == (const char *)-1)
        return;
    size_t len = strlen(text);
    if (the_screen.restore_bytes + len > sizeof the_screen.restore)
        return;
    memcpy(the_screen.restore + the_screen.restore_bytes, text, len);
    the_screen.restore_bytes += len;
}

static void prepare_end(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT}, faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction end = {.sa_handler = on_end}, fault = {.sa_handler = on_fault};
    keep_string("sgr0");
    keep_string("cnorm");
    keep_string("rmcup");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaction(ends[i], &end, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigaction(faults[i], &fault, NULL);
    atexit(screen_close);
}

static void set_up_colours(void)
{
    const char *none = getenv("NO_COLOR");
    if (!has_colors() || (none != NULL && none[0] != '\0'))
        return;
    start_color();
    use_default_colors();
    init_pair(GOOD, COLOR_GREEN, -1);
    init_pair(WARNING, COLOR_YELLOW, -1);
    init_pair(BAD, COLOR_RED, -1);
    init_pair(FAINT, COLOR_CYAN, -1);
    the_screen.has_colour = true;
}

/* Begins with the terminal, and writes nothing yet. A terminal that cannot move its cursor (TERM=dumb) would show
 * the drawing as a heap of text. */
static bool begin_terminal(void)
{
    SCREEN *screen = newterm(NULL, stdout, stdin);
    const char *move = screen != NULL ? tigetstr("cup") : NULL;
    if (move != NULL && move != (const char *)-1)
        return true;
    if (screen != NULL)
        delscreen(screen);
    return false;
}

bool screen_open(void)
{
    setlocale(LC_ALL, "");
    the_screen.has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    the_screen.has_termios = tcgetattr(STDIN_FILENO, &the_screen.before) == 0;
    if (!the_screen.has_termios || !isatty(STDOUT_FILENO) || !begin_terminal())
        return false;
    the_screen.is_open = true;
    prepare_end();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    set_up_colours();
    return true;
}

void screen_close(void)
{
    if (the_screen.is_open)
        endwin();
    the_screen.is_open = false;
}

bool screen_must_end(void) { return must_end != 0; }

int screen_rows(void) { return getmaxy(stdscr); }

int screen_columns(void) { return getmaxx(stdscr); }

void screen_clear(void) { werase(stdscr); }

void screen_show(void)
{
    wnoutrefresh(stdscr);
    doupdate(); /* sends only the changes, so that nothing flickers */
}

/* ---- writing ---- */

struct screen_pen screen_pen(int row, int column, int end)
{
    int columns = screen_columns();
    return (struct screen_pen){.row = row, .column = column, .end = end < columns ? end : columns};
}

static attr_t attributes(const struct screen_pen *p)
{
    static const attr_t styles[] = {
        [STYLE_PLAIN] = A_NORMAL, [STYLE_BOLD] = A_BOLD, [STYLE_FAINT] = A_DIM, [STYLE_REVERSE] = A_REVERSE};
    return styles[p->style];
}

static void put_cells(struct screen_pen *p, const wchar_t *text)
{
    if (p->row < 0 || p->row >= screen_rows()) {
        p->column = p->end;
        return;
    }
    wattr_set(stdscr, attributes(p), (short)(the_screen.has_colour ? (short)p->colour : 0), NULL);
    for (; *text != L'\0'; text++) {
        wchar_t c = iswprint((wint_t)*text) ? *text : L'?';
        int width = wcwidth(c);
        if (width < 0 || p->column + width > p->end) {
            p->column = p->end;
            break;
        }
        mvwaddnwstr(stdscr, p->row, p->column, &c, 1);
        p->column += width;
    }
    wattr_set(stdscr, A_NORMAL, 0, NULL);
}

void screen_put(struct screen_pen *p, const char *format, ...)
{
    char text[2 * LINE_CELLS];
    wchar_t cells[LINE_CELLS];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mbstate_t state = {0};
    size_t at = 0, left = strlen(text);
    for (const char *c = text; left > 0 && at < LINE_CELLS - 1;) {
        size_t n = mbrtowc(&cells[at], c, left, &state);
        if (n == 0 || n > left) { /* the bytes are not a character of this locale */
            state = (mbstate_t){0};
            cells[at] = L'?';
            n = 1;
        }
        c += n;
        left -= n;
        at++;
    }
    cells[at] = L'\0';
    put_cells(p, cells);
}

void screen_bar(struct screen_pen *p, int level)
{
    static const wchar_t blocks[] = L" ▁▂▃▄▅▆▇█", plain[] = L" ..::||##";
    const wchar_t cell[] = {(the_screen.has_unicode ? blocks : plain)[level], L'\0'};
    put_cells(p, cell);
}

void screen_gauge(struct screen_pen *p, double part, int width)
{
    int filled = (int)(part * width + 0.999);
    screen_put(p, "[");
    for (int i = 0; i < width; i++)
        screen_put(p, i < filled ? "#" : "-");
    screen_put(p, "]");
}

void screen_rule(int row, int column, int end, const char *title)
{
    struct screen_pen p = screen_pen(row, column, end);
    p.colour = FAINT;
    put_cells(&p, the_screen.has_unicode ? L"── " : L"-- ");
    screen_put(&p, "%s ", title);
    while (p.column < p.end)
        put_cells(&p, the_screen.has_unicode ? L"─" : L"-");
}

int screen_key(int wait_ms)
{
    wtimeout(stdscr, wait_ms);
    int key = wgetch(stdscr);
    switch (key) {
    case ERR:
        return 0;
    case KEY_UP:
        return SCREEN_UP;
    case KEY_DOWN:
        return SCREEN_DOWN;
    case KEY_RESIZE:
        clearok(stdscr, TRUE); /* terminals differ in what they keep after a resize: draw everything again */
        return SCREEN_RESIZED;
    default:
        return key;
    }
}
