/* screen.h: the terminal as a whole: taking it, writing on it, and giving it back, whatever happens. Over ncurses; the
 * only file that knows what the terminal can do. Coordinates are row, column; what does not fit is left out. */
#ifndef FIREHOSED_CMD_SCREEN_H
#define FIREHOSED_CMD_SCREEN_H

#include <stdbool.h>

#include "show.h"

/* Takes the terminal over. False: it cannot be used so (no terminal, or of an unknown kind). */
bool screen_open(void);

/* Gives it back. Happens by itself at exit(), and when a signal ends the program. */
void screen_close(void);

/* True once a signal has asked for the end. */
bool screen_must_end(void);

int screen_rows(void);
int screen_columns(void);

void screen_clear(void);
void screen_show(void); /* what was written, at once */

enum screen_style { STYLE_PLAIN, STYLE_BOLD, STYLE_FAINT, STYLE_REVERSE };

/* Where writing goes next is `column`; it is moved behind what was written. Never beyond `end`. */
struct screen_pen {
    int row, column, end;
    enum colour colour;
    enum screen_style style;
};

struct screen_pen screen_pen(int row, int column, int end);
void screen_put(struct screen_pen *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One cell of a bar: level 0 to 8. */
void screen_bar(struct screen_pen *p, int level);

/* A horizontal bar over `width` cells, of which `part` (0 to 1) is filled. */
void screen_gauge(struct screen_pen *p, double part, int width);

/* A rule across, with a title in it. */
void screen_rule(int row, int column, int end, const char *title);

/* Waits for a key for that long. The key; 0: none; KEY_… of ncurses are mapped to these: */
enum screen_key { SCREEN_UP = 0x1000, SCREEN_DOWN, SCREEN_RESIZED };
int screen_key(int wait_ms);

#endif
