#include "config.h"

#include "base/rfc3339.h"

enum { DATE_TIME_BYTES = 19 /* "2026-01-02T03:04:05" */, OFFSET_BYTES = 6 /* "+09:00" */ };

/* Reads `count` digits. Returns -1 if one of them is not a digit. */
static int number(const char *text, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (text[i] - '0');
    }
    return n;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Returns the days since 1970-01-01. Years begin in March, so that the leap day is the last day. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Reads "Z" or "±hh:mm", which must be all of text[0..len), as minutes east of UTC. */
static bool read_offset(const char *text, size_t len, int *minutes)
{
    *minutes = 0;
    if (len == 1 && (text[0] == 'Z' || text[0] == 'z'))
        return true;
    if (len != OFFSET_BYTES || (text[0] != '+' && text[0] != '-') || text[3] != ':')
        return false;
    int h = number(text + 1, 2), m = number(text + 4, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return false;
    *minutes = (text[0] == '-' ? -1 : 1) * (h * 60 + m);
    return true;
}

/* Reads ".678", if it is there, and moves *at behind it. */
static bool read_fraction(const char *text, size_t len, size_t *at, int64_t *us)
{
    int64_t unit = 100000;
    size_t first = *at + 1;
    *us = 0;
    if (*at >= len || text[*at] != '.')
        return true;
    for (*at = first; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
        *us += (text[*at] - '0') * unit;
        unit /= 10;
    }
    return *at > first;
}

/* The beginning of the year 10000. */
static const int64_t END_US = INT64_C(253402300800) * 1000000;

bool rfc3339_parse(const void *bytes, size_t len, int64_t *unix_us)
{
    const char *t = bytes;
    if (len <= DATE_TIME_BYTES || t[4] != '-' || t[7] != '-' || (t[10] != 'T' && t[10] != 't') || t[13] != ':' ||
        t[16] != ':')
        return false;
    int year = number(t, 4), month = number(t + 5, 2), day = number(t + 8, 2);
    int hour = number(t + 11, 2), minute = number(t + 14, 2), second = number(t + 17, 2), offset;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    size_t at = DATE_TIME_BYTES;
    int64_t us;
    if (!read_fraction(t, len, &at, &us) || !read_offset(t + at, len - at, &offset))
        return false;
    int64_t minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset;
    *unix_us = (minutes * 60 + second) * 1000000 + us;
    return *unix_us >= 0 && *unix_us < END_US;
}
