/*
 * What we are, and what we answer for.
 */
#pragma once

#define CN_VERSION "0.1.0"
/* The version of Kubo whose commands and RPC we keep to; clients gate on it. */
#define CN_KUBO_VERSION "0.43.0"
/* The repo version that Kubo's clients expect to hear. */
#define CN_KUBO_REPO_VERSION "18"
