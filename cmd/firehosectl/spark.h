/* spark.h: turns a series of numbers into one or more rows of bars. Pure. */
#ifndef FIREHOSED_CMD_SPARK_H
#define FIREHOSED_CMD_SPARK_H

#include <stddef.h>

enum { SPARK_LEVELS = 8 }; /* a cell is filled in eighths */

/* How the samples of one cell become one number. */
enum spark_fold { SPARK_MEAN, SPARK_MAX };

/* Folds `count` samples (below 0: unknown) into `width` cells, the newest into the last one. Cells get equal shares,
 * give or take one sample. If there are fewer samples than cells, the first cells are unknown (-1). Returns the largest
 * cell. */
double spark_fold(const double *samples, size_t count, enum spark_fold how, double *cells, size_t width);

/* Returns how far the cell in `row` (0 is the top one of `rows`) is filled: 0 to SPARK_LEVELS. A value above 0 always
 * shows in the lowest row. */
int spark_level(double value, double max, int rows, int row);

#endif
