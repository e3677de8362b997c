/*
 * Configuration profiles: named sets of changes, with Kubo's names and effects.
 */
#pragma once

#include "codec/json.h"
#include "rt/rt.h"

/* Is there a profile of that name? */
bool cn_profile_exists(cn_slice name);

/*
 * Apply the profile to a configuration in the shape of cn_schema_shape; some values may need
 * shaping again. `rt` gives random ports. Errors: NOT_FOUND, TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_profile_apply(cn_rt *rt, cn_json_doc *d, cn_json *root, cn_slice name, cn_why *why);

/* The configuration that a new repo has, before profiles. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_profile_skeleton(cn_json_doc *d, cn_slice peer_id, cn_json **ret);
