"""The security checklist of the plan, and how each item of it stands here."""

from tests.attacks.answers import Answer

CHECKLIST = {
    "S-01": Answer(
        "Django's own checks are clean",
        "`./run check` holds the shipped production settings against them.",
        because="it is a check of its own there, `production settings`, in CI with every commit",
    ),
    "S-02": Answer(
        "checks of our own for dangerous settings",
        "Production refuses to start with a message that says what to set; `local` warns.",
        tests=(
            "common/test_checks.py::test_production_refuses_what_local_at_most_warns_about",
            "merchants/test_checks.py::test_production_refuses_what_local_at_most_warns_about",
            "common/test_check_ids.py::test_every_check_is_known_and_has_an_id_of_its_own",
        ),
    ),
    "S-03": Answer(
        "secure by default",
        "DEBUG is off everywhere, no secret is shipped, the first start makes them; there is no admin site.",
        tests=("launcher/test_environment.py::test_first_start_makes_secrets_that_only_the_owner_reads",),
    ),
    "S-04": Answer(
        "safe headers on every answer",
        "Also on errors, and on what is not found.",
        tests=(
            "common/test_web.py::test_every_answer_has_the_safe_headers",
            "common/test_web.py::test_in_production_every_answer_over_https_asks_for_https_for_a_year",
        ),
    ),
    "S-05": Answer(
        "https alone",
        "Pages are sent there; the API refuses, since a redirect would hide that a key was seen.",
        tests=("common/test_web.py::test_in_production_pages_go_to_https_and_the_api_refuses",),
    ),
    "S-06": Answer(
        "a strict policy on the checkout",
        "Nothing inline or from elsewhere; the form leads to the gateways in use; scripts are not needed.",
        tests=(
            "checkout/test_safety.py::test_nothing_is_inline_and_nothing_comes_from_elsewhere",
            "checkout/test_safety.py::test_the_form_may_lead_to_the_gateway_and_nowhere_else",
            "e2e/test_checkout_journey.py::test_a_customer_without_javascript_pays_as_well",
        ),
    ),
    "S-07": Answer(
        "a policy on operators' pages",
        "There is no admin site; the two viewers of the API run no script but our own files.",
        tests=(
            "api/test_schema.py::test_no_script_stands_in_a_page_itself",
            "api/test_docs_pages.py::test_a_page_shows_the_api_and_breaks_no_policy",
        ),
    ),
    "S-08": Answer(
        "safe cookies",
        "No page that customers pay on sets one.",
        tests=(
            "checkout/test_safety.py::test_every_route_has_the_safe_headers_and_no_cookie",
            "checkout/test_manage.py::test_every_route_has_the_safe_headers_and_no_cookie",
        ),
    ),
    "S-09": Answer(
        "nothing is cached",
        "`no-store`; `private, no-cache` with an ETag where an answer is polled.",
        tests=(
            "common/test_web.py::test_every_answer_has_the_safe_headers",
            "attacks/test_guessing.py::test_a26_no_cache_may_keep_a_page_and_a_polled_answer_is_asked_for_again",
        ),
    ),
    "S-10": Answer(
        "no secret in an address",
        "Keys come in a header; a customer's link has 130 random bits.",
        tests=("common/test_references.py::test_a20_a_token_has_130_bits_and_cannot_be_guessed",),
    ),
    "S-11": Answer(
        "errors that tell nothing of our inside",
        "One envelope, also for a bug; what to quote, and nothing else.",
        tests=(
            "common/test_web.py::test_every_refusal_has_the_envelope_with_its_own_code",
            "common/test_web.py::test_a_bug_shows_what_to_quote_and_nothing_of_our_inside",
        ),
    ),
    "S-12": Answer(
        "passwords", "Argon2id, at least 12 characters, no common ones, never repeated in an answer."
    ),
    "S-13": Answer(
        "access tokens",
        "A key of their own, one algorithm, every claim required; ten minutes, and refreshed for seven days.",
        tests=("api/accounts/test_a25_tokens.py::test_a25_refresh_as_access_and_access_as_refresh",),
    ),
    "S-14": Answer(
        "who is disabled, or has a new password, is signed out",
        "With the next request: the login's row decides.",
    ),
    "S-15": Answer(
        "no token stays in a page; signing out ends it",
        "The one page that signs in keeps it in memory; signing out ends the login's row.",
        tests=("api/accounts/test_refresh.py::test_logout_is_good_twice_and_with_a_token_that_was_rotated",),
    ),
    "S-16": Answer(
        "the second factor holds at every door",
        "Every way to a token asks for it; keys are exempt, and have scopes.",
    ),
    "S-17": Answer(
        "keys of the API",
        "256 random bits, stored as a hash, shown once, with scopes, an end and their last use.",
        tests=(
            "merchants/test_merchants.py::test_s32_of_a_key_only_its_hash_is_stored",
            "api/test_access.py::test_a_revoked_key_opens_nothing",
        ),
    ),
    "S-18": Answer(
        "who says nothing admits nobody",
        "The doors that open without a key are a list that a person wrote.",
        tests=(
            "api/test_access.py::test_every_route_is_in_a_list_that_a_person_wrote",
            "api/test_access.py::test_a_view_that_says_nothing_admits_nobody",
        ),
    ),
    "S-19": Answer(
        "members are listed, in and out",
        "An unknown one is refused by name; a guest is shown the public ones.",
        tests=(
            "attacks/test_mass_assignment.py::test_a16_no_shape_takes_a_column_that_it_does_not_list",
            "api/test_create.py::test_a_guest_sees_the_public_members_and_no_others",
            "api/test_create.py::test_a_key_sees_the_books_too",
        ),
    ),
    "S-20": Answer(
        "JSON is read strictly",
        "UTF-8, no duplicate, no NaN, no exponent, at most 20 deep and 64 kB; events at most 256 kB.",
        tests=(
            "api/test_json.py::test_a_body_that_is_not_one_plain_object_is_refused_at_once",
            "api/test_json.py::test_only_json_is_taken",
            "inbox/test_receiving.py::test_a_body_larger_than_any_event_is_413",
        ),
    ),
    "S-21": Answer(
        "amounts are read exactly",
        "From the raw text, against the currency's decimals and the merchant's limits.",
        tests=(
            "attacks/test_amounts.py::test_a38_a_text_is_an_amount_or_refused",
            "attacks/test_amounts.py::test_a38_a_number_is_an_amount_or_refused",
            "attacks/test_amounts.py::test_a38_every_door_reads_amounts_alike",
            "api/test_create.py::test_the_merchants_own_limits_hold_for_their_currency",
        ),
    ),
    "S-22": Answer(
        "limits on whoever has no key",
        "By address (/64 of IPv6), as a trusted proxy saw it, with headers that say what is left.",
    ),
    "S-23": Answer(
        "lists have an end",
        "At most 200 rows a page and filters of a list; an export is streamed, at constant memory.",
        tests=(
            "attacks/test_http_tricks.py::test_a29_a_filter_is_one_of_a_list_and_walks_no_relation",
            "api/test_listing.py::test_the_export_streams_every_row_with_the_same_filters",
        ),
    ),
    "S-24": Answer(
        "the schema is true",
        "Requests made up from it find no bug, and no answer that it does not know.",
        tests=(
            "api/test_schema_fuzz.py::test_no_request_finds_a_bug",
            "api/test_schema_fuzz.py::test_every_operation_is_tried",
            "api/test_schema.py::test_the_schema_is_valid_and_the_committed_file_says_what_the_code_says",
        ),
    ),
    "S-25": Answer(
        "the way back to the shop",
        "https on a listed host, refused at creation; there is no `cancel_url`.",
        tests=(
            "api/test_return_urls.py::test_a_way_back_to_elsewhere_is_refused",
            "api/test_return_urls.py::test_where_no_host_is_listed_every_way_back_is_refused",
        ),
    ),
    "S-26": Answer(
        "no other origin reads the API",
        "No answer has a CORS header.",
        tests=("common/test_web.py::test_no_other_origin_is_let_in",),
    ),
    "S-27": Answer(
        "events of gateways",
        "Verified over raw bytes, stored before they are answered, and then we ask; two secrets in a change.",
        tests=(
            "attacks/test_forgeries.py::test_a06_two_hundred_forgeries_are_401_and_the_genuine_event_is_200",
            "inbox/test_receiving.py::test_it_is_stored_before_it_is_answered_and_its_job_with_it",
            "reliability/test_doorbell.py::test_an_event_that_says_more_than_the_gateway_confirms_is_not_believed",
            "reliability/test_doorbell.py"
            "::test_while_a_secret_is_changed_events_under_both_are_heard_and_later_only_the_new",
        ),
    ),
    "S-28": Answer(
        "answers of gateways",
        "Read strictly, of limited size and time, over verified TLS; no redirect, proxy or cookie.",
        tests=(
            "gateways/test_http.py::test_however_slowly_it_speaks_the_call_ends_in_time",
            "gateways/test_http.py::test_an_answer_of_a_hundred_megabytes_is_not_kept",
            "gateways/test_http.py::test_a_certificate_that_nobody_vouches_for_gets_no_key",
            "gateways/test_http.py::test_a_redirect_is_not_followed",
            "reliability/test_untrue_answers.py::test_an_amount_that_is_none_is_never_money",
        ),
    ),
    "S-29": Answer(
        "a sender that reaches no inside address",
        "https to public addresses, whatever wraps them; no redirect, no proxy; others the operator names.",
    ),
    "S-30": Answer(
        "signed events to merchants",
        "By Standard Webhooks; the public library verifies them, also in a change.",
    ),
    "S-31": Answer("who may add a receiver", "A key or a person with the scope `admin`."),
    "S-32": Answer(
        "stored secrets",
        "Keys as hashes; tokens of cards encrypted with keys of the environment, which can be changed.",
        tests=(
            "customers/test_secrecy.py::test_no_table_and_no_log_has_the_token",
            "common/test_crypto.py::test_a_text_that_was_changed_is_not_opened",
            "customers/test_rotation.py::test_every_token_is_encrypted_with_the_first_key",
        ),
    ),
    "S-33": Answer(
        "logs without secrets",
        "Keys, tokens, links and card numbers are cut off, addresses masked, line breaks escaped.",
        tests=(
            "common/test_logs.py::test_no_secret_is_written",
            "common/test_logs.py::test_ordinary_requests_write_no_personal_data",
            "common/test_logs.py::test_nobody_can_forge_a_line",
        ),
    ),
    "S-34": Answer(
        "security events leave a trace",
        "Bad signatures, keys that open nothing, sign-ins and money that does not match are logged; what is "
        "done for a merchant is in a trail that the database refuses to change.",
        tests=("common/test_append_only.py::test_i6_a_row_is_neither_changed_nor_deleted",),
    ),
    "S-35": Answer(
        "each output escapes for itself",
        "Pages, mails, spreadsheets and logs: see A-30 to A-37.",
        tests=(
            "attacks/test_browser.py::test_a30_no_payload_runs_loads_or_is_even_tried_on_any_page",
            "attacks/test_texts.py::test_a31_a_mail_leads_to_our_own_pages_alone_whatever_a_name_says",
            "attacks/test_texts.py::test_a36_no_cell_of_an_export_is_a_formula_however_a_spreadsheet_splits_it",
            "checkout/test_safety.py::test_names_of_any_script_are_isolated_and_kept",
        ),
    ),
    "S-36": Answer(
        "locked dependencies, signed-off images",
        "Each is locked with its hash, and asked about every night; an exception has an end. A release has "
        "its list of parts; the image is deployed by its digest, runs as nobody, writes to its volume alone.",
        tests=(
            "tools/test_supply.py::test_what_the_repository_has_is_pinned",
            "tools/test_supply.py::test_an_excuse_has_an_end",
            "deploy/test_release.py::test_the_software_bill_names_every_locked_package_with_its_hashes",
            "deploy/test_image.py::test_its_user_is_a_number_that_is_not_roots_and_it_writes_to_its_volume_alone",
            "deploy/test_image.py::test_every_stage_begins_with_the_one_image_that_is_pinned_by_digest",
            "deploy/test_image.py::test_packages_come_from_the_locks_with_their_hashes_and_from_nowhere_else",
        ),
    ),
    "S-37": Answer(
        "workflows that nobody can turn",
        "Every action by its whole digest, no rights but those it needs; zizmor reads them in `./run check`.",
        tests=(
            "tools/test_supply.py::test_a51_a_planted_line_of_a_workflow_is_seen",
            "tools/test_supply.py::test_what_the_repository_has_is_pinned",
        ),
    ),
    "S-38": Answer(
        "static checks",
        "ruff's rules of security, bandit, and lints of our own, each shown red and green.",
        tests=(
            "tools/test_lints.py::test_a_breach_is_found",
            "tools/test_lints.py::test_every_rule_is_shown_both_ways",
            "tools/test_lints.py::test_a_template_that_does_not_escape_is_found",
        ),
    ),
    "S-39": Answer("a policy for whoever finds a hole", "SECURITY.md says where, and when an answer comes."),
    "S-40": Answer(
        "card data",
        "Customers pay on the gateway's page: no field, frame or script for a card is here.",
        tests=("attacks/test_card_data.py::test_a49_a_card_number_is_refused_at_every_door_for_text",),
    ),
    "S-41": Answer(
        "backups that can be restored",
        "Encrypted, whole or refused; restored into either database with each change. Charges wait after it, "
        "and what may have been made since is asked about first.",
        tests=(
            "management/test_backups.py::test_a_file_with_lines_left_out_or_moved_is_refused",
            "management/test_backups.py::test_each_changed_byte_is_found",
            "management/test_backup_drill.py::test_a_backup_is_restored_whole_and_every_rule_of_money_holds",
            "management/test_restored_renewals.py"
            "::test_a_renewal_that_the_backup_does_not_know_is_found_and_not_charged_again",
            "subscriptions/test_after_restoration.py"
            "::test_what_fell_due_before_is_asked_about_and_not_charged_again",
        ),
    ),
    "S-42": Answer(
        "a second person for large refunds",
        "Over the limit an owner approves what another asked for; a single owner shows again who they are.",
    ),
}
