/*
 * Words and looks of a directory's page. One file, nothing loaded from elsewhere, light and dark
 * as the reader's system says, readable on a phone and without CSS.
 */
#include "gateway/listing_page.h"

const char cn_listing_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<title>";

const char cn_listing_style[] =
    "</title>\n"
    "<style>\n"
    ":root{color-scheme:light dark;--line:#0001;--soft:#5b6470;--link:#0b5fa5;--hover:#0b5fa510;"
    "--back:#fbfbfa}\n"
    "@media (prefers-color-scheme:dark){:root{--line:#fff2;--soft:#9aa4b0;--link:#7db7ee;"
    "--hover:#7db7ee18;--back:#16191d}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:64rem;padding:2rem 1.25rem 3rem;background:var(--back);"
    "font:1rem/1.5 system-ui,sans-serif}\n"
    "a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\n"
    "nav{font-size:1.15rem;font-weight:600;overflow-wrap:anywhere}\n"
    "nav i{margin:0 .35em;font-style:normal;color:var(--soft);font-weight:400}\n"
    "nav span{color:var(--soft);font-weight:400}\n"
    ".about{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere;margin:.4rem 0 1.2rem}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th{text-align:left;font-size:.8rem;font-weight:500;color:var(--soft)}\n"
    "th,td{padding:.45rem .5rem;border-bottom:1px solid var(--line);vertical-align:baseline}\n"
    "td:first-child{overflow-wrap:anywhere;width:100%}\n"
    "td:nth-child(2) a{color:var(--soft);font-size:.85rem;white-space:nowrap}\n"
    "th:last-child,td:last-child{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums;color:var(--soft)}\n"
    "tbody tr:hover{background:var(--hover)}\n"
    "code{font:.95em ui-monospace,monospace}\n"
    "footer{margin-top:1.5rem;color:var(--soft);font-size:.85rem}\n"
    "@media (max-width:40rem){th:nth-child(2),td:nth-child(2){display:none}}\n"
    "</style>\n"
    "</head>\n"
    "<body>\n";

const char cn_listing_table[] =
    "<table>\n"
    "<thead><tr><th>Name</th><th>CID</th><th title=\"With all that lies below it\">Size</th></tr>"
    "</thead>\n"
    "<tbody>\n";

const char cn_listing_foot[] =
    "<footer>A folder on IPFS: its address is made from its contents, so it never changes. "
    "Served by cairn.</footer>\n"
    "</body>\n"
    "</html>\n";
