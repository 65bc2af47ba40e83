"""The attacks of the plan, and what becomes of each here. `docs/security.md` shows it."""

from tests.attacks.answers import Answer
from tests.attacks.checklist import CHECKLIST

ATTACKS = {
    "A-01": Answer(
        "a genuine small payment that names another's",
        "A payment is known by the reference that we gave the gateway; metadata selects nothing.",
    ),
    "A-02": Answer(
        "a lower amount in the browser",
        "The amount is read from our own table alone, for the session and for what is confirmed.",
        tests=(
            "checkout/test_coming_back.py::test_a_forged_query_changes_nothing",
            "checkout/test_opening.py::test_the_form_cannot_change_the_amount",
        ),
    ),
    "A-03": Answer(
        "another amount once the gateway's page is open",
        "No address changes a payment, before its first attempt or after it.",
    ),
    "A-04": Answer(
        "a genuine payment to another merchant's account",
        "Each question is asked with the keys of the payment's own account, and nothing else settles it.",
        tests=("gateways/contract.py::test_another_accounts_event_is_not_ours",),
    ),
    "A-05": Answer(
        "one gateway's event at another's address",
        "It is verified with that address's keys, and finds attempts of that gateway and mode only.",
    ),
    "A-06": Answer(
        "forged events, in 200 ways for each gateway",
        "401, and nothing is kept; the genuine one is accepted beside them.",
        tests=("gateways/contract.py::test_two_hundred_forgeries_verify_nothing",),
    ),
    "A-07": Answer(
        "an empty, short or well-known secret",
        "The start is refused, and no event verifies with it wherever it comes from.",
        tests=(
            "gateways/contract.py::test_blank_credentials_verify_nothing",
            "merchants/test_checks.py::test_production_refuses_what_local_at_most_warns_about",
        ),
    ),
    "A-08": Answer(
        "a return address that says success",
        "The return page asks the gateway, and shows what it answers.",
        tests=(
            "checkout/test_coming_back.py::test_a_return_that_says_success_after_a_decline_shows_the_decline",
            "checkout/test_coming_back.py::test_a_payment_that_is_not_complete_is_never_sent_on",
        ),
    ),
    "A-09": Answer(
        "an old genuine event after a refund", "It is known already, or makes us ask; no status moves."
    ),
    "A-10": Answer(
        "a forged body under Flutterwave's static hash, or old news under new ids",
        "An event's words settle nothing: the gateway's answer to our own question does.",
    ),
    "A-11": Answer("signatures that are not ASCII, or of 10 MB", "401, never a crash: bytes are compared."),
    "A-12": Answer(
        "the time a comparison takes",
        "Signatures are compared in constant time; a lint refuses any other way.",
        tests=("tools/test_lints.py::test_a_breach_is_found",),
    ),
    "A-13": Answer(
        "PayPal's certificate at somebody else's address",
        "Only PayPal's own addresses are opened, whole and by https; any other is refused unopened.",
    ),
    "A-14": Answer(
        "an address of one's own choice in X-Forwarded-For",
        "It counts only as far as trusted proxies have appended to it; no address opens a door anyway.",
    ),
    "A-15": Answer(
        "another caller's Idempotency-Key, or one that is no key",
        "A key belongs to merchant, mode, caller and route; what is not printable ASCII is refused.",
        tests=("api/test_idempotency.py::test_nobody_meets_another_callers_payment_under_his_key",),
    ),
    "A-16": Answer(
        "members that set a column",
        "Each shape lists its members; any other is refused by name, nested ones too.",
        tests=("api/test_create.py::test_what_a_caller_may_not_set_is_refused_by_name",),
    ),
    "A-17": Answer(
        "verbs, verbs in headers, odd spellings of addresses and hosts, a filter sent twice",
        "One spelling, and the verbs of a list; all else is 400, 404 or 405.",
        tests=(
            "common/test_web.py::test_a_method_that_an_address_does_not_know_is_405_for_everyone",
            "common/test_web.py::test_a_foreign_host_is_refused_everywhere_but_where_orchestrators_ask",
        ),
    ),
    "A-18": Answer(
        "a guest who refunds or cancels",
        "401: a guest may create, read by the id, and pay.",
        tests=("api/test_access.py::test_a_guest_may_read_and_pay_a_payment_but_nothing_else",),
    ),
    "A-19": Answer(
        "trying out stolen cards",
        "Limits by address, ten attempts a payment, and a pause for guests when too many are declined.",
        tests=(
            "api/test_throttles.py::test_the_61st_payment_of_a_minute_is_refused_and_told_when_to_come_back",
            "api/test_attempts.py::test_a_payment_takes_ten_attempts",
        ),
    ),
    "A-20": Answer(
        "guessing ids, links and receipts",
        "Each has 130 random bits; a guess is answered like another's: 404.",
        tests=("api/test_access.py::test_a_guessed_id_is_a_uniform_404",),
    ),
    "A-21": Answer(
        "another merchant's rows, at every address",
        "Every list and every look-up starts from the caller's own merchant and mode.",
        tests=(
            "api/test_access.py::test_another_merchant_sees_nothing",
            "api/test_access.py::test_another_merchants_list_is_empty",
        ),
    ),
    "A-22": Answer(
        "a way back to somebody else's site",
        "`return_url` must be https on a listed host, in plain ASCII; no address takes a `next`.",
        tests=(
            "api/test_return_urls.py::test_a_way_back_to_elsewhere_is_refused",
            "checkout/test_safety.py::test_the_way_back_to_the_shop",
            "checkout/test_coming_back.py::test_a_complete_payment_without_a_usable_address_shows_its_receipt",
        ),
    ),
    "A-23": Answer(
        "a link that leaks by Referer, query or log",
        "Pages send no Referer, no link goes to another site, and logs cut links off.",
        tests=("common/test_logs.py::test_no_secret_is_written",),
    ),
    "A-24": Answer(
        "headers that choose who is calling",
        "A key or an access token says it, and nothing else does.",
        tests=("api/test_access.py::test_no_header_but_the_key_says_who_is_calling",),
    ),
    "A-25": Answer(
        "access tokens that are forged, old, of another kind or used twice",
        "One algorithm, every claim required; a refresh token that comes twice ends its login.",
        tests=(
            "api/accounts/test_tokens.py::test_a_refresh_token_is_good_once_and_its_second_use_ends_the_login",
        ),
    ),
    "A-26": Answer(
        "a cache that serves one customer's page to another",
        "Pages are `no-store`, polled answers private; nothing that a visitor sends is kept for others.",
    ),
    "A-27": Answer(
        "requests of ours to an inside address",
        "A receiver's address must be public when it is added and at each send, to that very one.",
    ),
    "A-28": Answer(
        "an inside service's answer in a delivery log",
        "It is kept short and without controls, and not at all from inside the house.",
    ),
    "A-29": Answer(
        "filters that are SQL, or walk to other tables",
        "A query is read by a list of members; values reach the database as parameters.",
        tests=("api/test_listing.py::test_a_filter_that_cannot_be_is_refused_by_name",),
    ),
    "A-30": Answer(
        "scripts in every text, on every page, in mails, CSV and JSON",
        "None runs in a real browser, and the policy of our pages would stop it.",
        tests=(
            "checkout/test_safety.py::test_typed_text_never_becomes_markup",
            "checkout/test_manage.py::test_typed_text_never_becomes_markup",
            "e2e/test_checkout_journey.py::test_typed_text_runs_nothing",
        ),
    ),
    "A-31": Answer(
        "markup and links in mails",
        "Names are text; every link of a mail leads to our own pages, and no picture is loaded.",
        tests=(
            "subscriptions/test_mail_safety.py::test_names_are_text_in_the_page_and_keep_their_own_direction",
        ),
    ),
    "A-32": Answer(
        "names that turn, hide or forge text",
        "Overrides and control characters are refused; every real name is kept, in a direction of its own.",
        tests=("api/test_create.py::test_a_real_name_in_any_script_is_kept",),
    ),
    "A-33": Answer("payloads that come by the gateway", "A gateway's words are text like anybody's."),
    "A-34": Answer(
        "names and addresses that forge a mail's header",
        "One recipient, no header more; odd addresses are refused.",
        tests=("subscriptions/test_mail_safety.py::test_a_name_adds_no_header_and_no_recipient",),
    ),
    "A-35": Answer(
        "template and format words in names",
        "They stay what they are: templates and subjects have a fixed list of names.",
        tests=("subscriptions/test_mail_safety.py::test_template_words_in_a_name_stay_what_they_are",),
    ),
    "A-36": Answer(
        "formulas in an export",
        "A mark stands before each, also behind a semicolon; numbers stay numbers.",
        tests=(
            "api/test_listing.py::test_no_cell_of_the_export_is_a_formula",
            "api/test_listing.py::test_numbers_of_the_export_stay_numbers",
        ),
    ),
    "A-37": Answer(
        "line breaks and escapes in logs",
        "One line an event; what could break it is escaped.",
        tests=("common/test_logs.py::test_nobody_can_forge_a_line",),
    ),
    "A-38": Answer(
        "amounts that a library would misread",
        "Plain ASCII digits, exactly the currency's decimals, above zero and within the limit; else 400.",
        tests=(
            "api/test_amounts.py::test_what_is_not_plainly_an_amount_is_refused",
            "api/test_amounts.py::test_no_amount_passes_through_a_float",
        ),
    ),
    "A-39": Answer(
        "sums of items that do not add up",
        "A payment has one amount.",
        because="there are no line items, quantities, discounts or splits",
    ),
    "A-40": Answer(
        "JSON that is deep, wide or huge",
        "400, 413 or 415 at once: 64 kB, 20 levels, a length, one object.",
        tests=(
            "api/test_json.py::test_a_body_that_is_not_one_plain_object_is_refused_at_once",
            "api/test_json.py::test_a_body_of_megabytes_is_not_read",
        ),
    ),
    "A-41": Answer(
        "near misses that a pattern reads for ever",
        "Lengths are looked at first; what reads on takes linear time.",
        tests=("common/test_logs.py::test_long_text_is_read_in_linear_time",),
    ),
    "A-42": Answer(
        "half a request that never ends",
        "It holds a thread until its time is up, and one address holds eight; the others go on.",
        tests=("api/test_guest_limits.py::test_an_address_holds_eight_places_at_once_and_gets_them_back",),
    ),
    "A-43": Answer("two requests in one", "Refused, and nothing behind it is heard."),
    "A-44": Answer(
        "forms and scripts of another site",
        "The API takes JSON and no cookie; a customer's page is opened by its link alone.",
        tests=(
            "api/test_json.py::test_only_json_is_taken",
            "checkout/test_opening.py::test_a_form_from_another_page_needs_no_cookie_and_gains_nothing",
        ),
    ),
    "A-45": Answer(
        "our page in another's frame",
        "No site may frame any answer.",
        tests=("common/test_web.py::test_every_answer_has_the_safe_headers",),
    ),
    "A-46": Answer(
        "reading the API from another site",
        "No answer lets another origin in.",
        tests=("common/test_web.py::test_no_other_origin_is_let_in",),
    ),
    "A-47": Answer(
        "who has an account, and with which password",
        "One answer and one amount of work, whether there is an account or not; tries and mails have limits.",
    ),
    "A-48": Answer(
        "two spellings of one address",
        "Addresses are compared as mail is sent; names are stored in one form.",
    ),
    "A-49": Answer(
        "a card number typed into a text",
        "Refused by name, and in no table, log or mail.",
        tests=("common/test_logs.py::test_a_card_number_is_seen_whatever_stands_around_it",),
    ),
    "A-50": Answer(
        "what is for tests, in production",
        "The start is refused, with the fix in the message.",
        tests=("common/test_checks.py::test_production_refuses_what_local_at_most_warns_about",),
    ),
    "A-51": Answer(
        "a bad dependency or workflow",
        "Locks are held to their hashes, workflows to whole digests; what is planted is seen.",
        tests=("tools/test_supply.py::test_an_audit_tells_of_a_hole_and_how_it_is_mended",),
    ),
    "A-52": Answer(
        "pay, cancel, expire and refund at once",
        "Each move is made under the payment's lock, by a table; money that came too late is shown.",
    ),
    "A-53": Answer(
        "what is good once, used many times at once",
        "A link opens one session and is mailed once; a code, a link in a mail, an approval are used up.",
        tests=(
            "api/accounts/test_confirming.py::test_of_two_uses_at_once_one_wins",
            "api/accounts/test_passwords.py::test_of_two_uses_of_a_link_at_once_one_wins",
            "api/accounts/test_refresh.py::test_of_two_refreshes_at_once_one_wins_and_the_login_ends",
            "api/accounts/test_otp.py::test_of_two_sign_ins_with_one_code_at_once_one_wins",
            "races/test_approval_race.py::test_s42_many_approvals_at_once_make_one_refund",
        ),
    ),
    "A-54": Answer(
        "files and addresses behind receipts and logos",
        "Receipts are pages from fixed templates: nothing is fetched, and no file is named by a visitor.",
        tests=("checkout/test_safety.py::test_looking_creates_nothing_and_calls_nobody",),
    ),
}
IDEMPOTENCY = {
    "M-01": Answer(
        "no key",
        "A refund needs one, and says so; a create without one is made once for a `merchant_reference`.",
        tests=(
            "api/test_refunds.py::test_without_an_idempotency_key_no_money_goes_back",
            "api/test_create.py::test_a_merchant_reference_is_used_once_and_is_free_in_the_other_mode",
        ),
    ),
    "M-02": Answer("the same key with another body", "422, and the first stays as it was."),
    "M-03": Answer(
        "the same key while the first runs",
        "409 with Retry-After; later the first result.",
        tests=("api/test_attempts.py::test_the_same_key_while_the_first_is_running_is_told_to_wait",),
    ),
    "M-04": Answer(
        "the same key again and again",
        "The first object as it is now. A refused request leaves its key free and is judged anew; "
        "after a lost answer the key goes on with the work.",
        tests=(
            "payments/test_session_troubles.py::test_a_key_whose_request_ended_in_an_error_goes_on_with_a_new_attempt",
        ),
    ),
    "M-05": Answer(
        "a key after its time",
        "Kept for 72 hours and while its payment is open; of attempts, refunds and subscriptions for good.",
        tests=("payments/test_start.py::test_a_key_is_kept_while_its_payment_is_open",),
    ),
    "M-06": Answer(
        "fifty requests with one key at once", "One effect; the others get it, or are told to come back."
    ),
    "M-07": Answer(
        "the same request in other words",
        "Order, blanks, Unicode form and defaults mean nothing; another amount is never taken for the same.",
        tests=("api/test_idempotency.py::test_another_spelling_of_the_same_request_is_the_same_request",),
    ),
    "M-08": Answer("a server that dies on the way", "The repeat at another one ends with one effect."),
}
REGISTER = {**ATTACKS, **IDEMPOTENCY, **CHECKLIST}
NUMBERS = [
    *(f"A-{number:02}" for number in range(1, 55)),
    *(f"M-{number:02}" for number in range(1, 9)),
    *(f"S-{number:02}" for number in range(1, 43)),
]
