#include "spark.h"

static double fold_one(const double *samples, size_t count, enum spark_fold how)
{
    double sum = 0, max = -1;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (samples[i] < 0)
            continue;
        sum += samples[i];
        max = samples[i] > max ? samples[i] : max;
        known++;
    }
    if (known == 0)
        return -1;
    return how == SPARK_MEAN ? sum / (double)known : max;
}

double spark_fold(const double *samples, size_t count, enum spark_fold how, double *cells, size_t width)
{
    double max = 0;
    if (width == 0)
        return 0;
    size_t used = count < width ? count : width, empty = width - used;
    for (size_t cell = 0; cell < width; cell++) {
        size_t from = cell < empty ? 0 : (cell - empty) * count / used;
        size_t to = cell < empty ? 0 : (cell - empty + 1) * count / used;
        cells[cell] = fold_one(samples + from, to - from, how);
        max = cells[cell] > max ? cells[cell] : max;
    }
    return max;
}

int spark_level(double value, double max, int rows, int row)
{
    if (value <= 0 || max <= 0)
        return 0;
    int eighths = (int)(value / max * rows * SPARK_LEVELS + 0.5);
    eighths = eighths < 1 ? 1 : eighths > rows * SPARK_LEVELS ? rows * SPARK_LEVELS : eighths;
    int below = (rows - 1 - row) * SPARK_LEVELS;
    int level = eighths - below;
    return level < 0 ? 0 : level > SPARK_LEVELS ? SPARK_LEVELS : level;
}
