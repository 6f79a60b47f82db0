/* screen.h: takes the terminal, writes on it, and restores it, whatever happens. It uses ncurses, and only this file
 * knows the terminal's abilities. Coordinates are row, column. Text that does not fit is cut. */
#ifndef FIREHOSED_CMD_SCREEN_H
#define FIREHOSED_CMD_SCREEN_H

#include <stdbool.h>

#include "show.h"

/* Takes the terminal. Returns false if there is no terminal, or if ncurses does not know its type. */
bool screen_open(void);

/* Restores the terminal. exit() does this too, and so does a signal that ends the program. */
void screen_close(void);

/* Returns true after a signal has asked for the end. */
bool screen_must_end(void);

int screen_rows(void);
int screen_columns(void);

void screen_clear(void);
void screen_show(void); /* shows all that was written, at once */

enum screen_style { STYLE_PLAIN, STYLE_BOLD, STYLE_FAINT, STYLE_REVERSE };

/* Writing starts at `column`, moves it behind the text, and never goes beyond `end`. */
struct screen_pen {
    int row, column, end;
    enum colour colour;
    enum screen_style style;
};

struct screen_pen screen_pen(int row, int column, int end);
void screen_put(struct screen_pen *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one cell of a bar, with a level from 0 to 8. */
void screen_bar(struct screen_pen *p, int level);

/* Writes a horizontal bar of `width` cells, of which `part` (0 to 1) is filled. */
void screen_gauge(struct screen_pen *p, double part, int width);

/* Draws a horizontal line with a title in it. */
void screen_rule(int row, int column, int end, const char *title);

/* Waits up to wait_ms for a key. Returns the key, one of these, or 0 if there was none. */
enum screen_key { SCREEN_UP = 0x1000, SCREEN_DOWN, SCREEN_RESIZED };
int screen_key(int wait_ms);

#endif
