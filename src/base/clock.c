#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_unix_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Converts days since 1970 to a date of the Gregorian calendar. Years begin in March, so that the leap day is the last
 * day. 719,468 days lie between March 1st of the year 0 and 1970; 146,097 days are 400 years. */
static void date_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = days / 146097, of_era = days % 146097;
    int64_t of_years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(era * 400 + of_years + (*month <= 2));
}

const char *clock_format_utc(int64_t unix_us, char out[CLOCK_TEXT_BYTES])
{
    int year, month, day;
    int64_t ms = unix_us > 0 ? unix_us / 1000 : 0;
    date_of(ms / 86400000, &year, &month, &day);
    int of_day = (int)(ms % 86400000);
    snprintf(out, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, of_day / 3600000,
             of_day / 60000 % 60, of_day / 1000 % 60, of_day % 1000);
    return out;
}
