#include "config.h"

#include "post_text.h"

#include <stdio.h>

struct language {
    const char *code;
    const char *between; /* words */
    const char *words[12];
};

/* A language with more rows comes more often, as on the network. */
static const struct language languages[] = {
    {"en",
     " ",
     {"the", "morning", "train", "was", "quiet", "again", "so", "I", "finished", "a", "chapter", "today"}},
    {"en", " ", {"new", "photos", "of", "our", "cat", "on", "that", "windowsill", "look", "at", "this", "light"}},
    {"en",
     " ",
     {"honestly", "\"good", "enough\"", "is", "a", "feature,", "not", "a", "bug", "—", "ship", "it…"}},
    {"pt", " ", {"amanhã", "não", "vou", "sair", "de", "casa,", "que", "chuva", "é", "essa", "meu", "irmão"}},
    {"ja", "", {"今日は", "とても", "寒い", "ので", "家で", "絵を", "描きました", "。", "おはよう", "ございます", "！", "猫"}},
    {"ja", "", {"新しい", "カメラ", "で", "夕焼け", "を", "撮影", "した", "写真", "です", "、", "見て", "ください"}},
    {"de", " ", {"heute", "gibt", "es", "Käse-Spätzle", "für", "alle", "und", "schönes", "Wetter", "dazu", "ß", "Ä"}},
    {"ko", " ", {"오늘", "날씨가", "정말", "좋네요", "같이", "산책", "갈까요", "커피", "한잔", "하고", "싶다", "ㅋㅋ"}},
    {"ar", " ", {"صباح", "الخير", "يا", "أصدقاء", "اليوم", "جميل", "جدا", "في", "المدينة", "القديمة", "مع", "قهوة"}},
    {"ru", " ", {"сегодня", "утром", "шёл", "снег", "и", "было", "тихо", "в", "парке", "очень", "красиво", "вот"}},
    {"hi", " ", {"आज", "का", "दिन", "बहुत", "अच्छा", "है", "चाय", "पीते", "हैं", "दोस्तों", "के", "साथ"}},
    {"zh", "", {"今天", "天氣", "很好", "，", "我們", "去", "公園", "散步", "吧", "。", "晚安", "世界"}},
};

static const char *const decorations[] = {
    " 😂", " 🎉🎉", " 👩‍👩‍👧‍👦", " 🏳️‍🌈", " 🇯🇵", " ❤️", " 👍🏽", " 𝓼𝓸", " é", "\n\n", " ☕️", " 🦋", " 🧑🏿‍🚀",
};

/* Characters that JSON must escape, and others that have broken consumers. */
static const char *const troubles[] = {
    "\"quoted\"", "C:\\path\\new", "tab\there", "bell\a", "back\b", "esc\x1b[0m", "del\x7f",
    "\xe2\x80\xa8", /* U+2028, not a line end in JSON */
    "\xef\xbf\xbd", /* U+FFFD, from a broken encoder */
    "</script>", "\r\n", "\xf4\x8f\xbf\xbf", /* U+10FFFF */ "\x01\x1f",
};

static void append_words(struct buffer *out, struct dice *d, const struct language *l, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        if (i > 0)
            buffer_append_text(out, l->between);
        buffer_append_text(out, dice_pick(d, l->words));
    }
}

void words_append(struct buffer *out, struct repo_model *m, unsigned words)
{
    append_words(out, &m->dice, &dice_pick(&m->dice, languages), words);
}

static void append_facet(struct post_text *t, struct repo_model *m)
{
    struct dice *d = &m->dice;
    struct facet *f = &t->facets[t->facet_count++];
    char shown[80];
    f->kind = (enum facet_kind)dice_below(d, 3);
    if (f->kind == FACET_MENTION) {
        const char *did = repo_model_pick(m)->did;
        snprintf(f->value, sizeof f->value, "%s", did);
        snprintf(shown, sizeof shown, "@%.6s.bsky.social", did + 8);
    } else if (f->kind == FACET_LINK) {
        snprintf(f->value, sizeof f->value, "https://example.com/articles/%08x?ref=feed", dice_below(d, UINT32_MAX));
        snprintf(shown, sizeof shown, "%.24s...", f->value + 8);
    } else {
        static const char *const tags[] = {"caturday", "art", "今日の一枚", "FotoFreitag", "NowPlaying", "статья"};
        snprintf(f->value, sizeof f->value, "%s", dice_pick(d, tags));
        snprintf(shown, sizeof shown, "#%.70s", f->value);
    }
    buffer_append_byte(&t->text, ' ');
    f->start = t->text.len;
    buffer_append_text(&t->text, shown);
    f->end = t->text.len;
}

void post_text_make(struct post_text *t, struct repo_model *m)
{
    struct dice *d = &m->dice;
    const struct language *l = &dice_pick(d, languages);
    buffer_clear(&t->text);
    t->facet_count = 0;
    t->lang = l->code;
    if (dice_permille(d, 20)) /* a picture without text */
        return;
    append_words(&t->text, d, l, dice_between(d, 2, 28));
    if (dice_permille(d, 350))
        buffer_append_text(&t->text, dice_pick(d, decorations));
    if (dice_permille(d, 40))
        buffer_append_text(&t->text, dice_pick(d, troubles));
    if (dice_permille(d, 3))
        buffer_append_byte(&t->text, '\0');
    while (t->facet_count < POST_MAX_FACETS && dice_permille(d, 250))
        append_facet(t, m);
}
