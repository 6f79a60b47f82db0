/* spark.h: a series of figures as a row, or a few rows, of bars. Pure. */
#ifndef FIREHOSED_CMD_SPARK_H
#define FIREHOSED_CMD_SPARK_H

#include <stddef.h>

enum { SPARK_LEVELS = 8 }; /* a cell is filled by so many eighths */

/* How the samples that fall into one cell become one figure. */
enum spark_fold { SPARK_MEAN, SPARK_MAX };

/* Squeezes `count` samples (below 0: not known) into `width` cells, the newest in the last one, all alike but for one
 * sample more or less; where they are fewer than cells, the first cells are not known (-1). Returns the largest. */
double spark_fold(const double *samples, size_t count, enum spark_fold how, double *cells, size_t width);

/* How far the cell in `row` (0: the top one of `rows`) is filled: 0 to SPARK_LEVELS. What is above 0 shows in the
 * lowest row, however little it is. */
int spark_level(double value, double max, int rows, int row);

#endif
