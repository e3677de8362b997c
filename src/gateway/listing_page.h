/*
 * The fixed parts of a directory's page, in order: head up to the title, style and start of the
 * body, the table's head, the foot.
 */
#pragma once

extern const char cn_listing_head[];
extern const char cn_listing_style[];
extern const char cn_listing_table[];
extern const char cn_listing_foot[];
