#!/usr/bin/python3
"""How many of the planted bugs (base/bug.h) do the tests catch?  usage: score.py BUILD [NAME...]

score.py --programs prints what has to be built for that.

BUILD is a build with -Dplanted_bugs=true. Every test that stands beside a bug below has to fail
with the bug on, within SECONDS_MAX of processor time and because something was found to be wrong:
a failed test of the name given, a mismatch or a broken assertion. Any other signal, a time-out, or
a filter that fits no test is no catch. Then the same commands have to pass without a bug.
Exit status 0 when every bug is caught, 1 otherwise, 2 when that cannot be told.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

# Of processor time, which is the same on a busy machine; what waits for ever is ended by the clock.
SECONDS_MAX = 20
CLEAN_SECONDS_MAX = 300
WALL_SECONDS_MAX = 300
EXIT_UNKNOWN_BUG = 97
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLOURS = re.compile("\x1b\\[[0-9;]*m")

# Of the simulator's seeds only what each of them runs into: which seed meets a rare fault changes
# with whatever the seed draws.
#
# A test is a program of Criterion's and suite/name, or a program, its arguments and a pattern of
# what it says when it fails.
SEEDS = ("sim/keyrack-sim", "--seeds", "1..5", "to see it again|assertion failed")
STEPS = ("property/test_model", "--whole", "20000", r"\(step \d+\)|assertion failed")
CUTS = ("fault/test_crash_points", "1", "60", r"crash point \d+|the script: ")
LIVES = ("unit/inventory/test_inventory_lives",
         "lives/every_state_meets_every_operation_before_and_on_the_day")
RESTRICTIONS = ("unit/inventory/test_inventory_restrictions",
                "restrictions/of_four_nights_in_every_combination_decide_as_described")

# Bug: the tests that must catch it.
CATCHES = {
    "answer_before_sync": [
        ("unit/shard/test_shard_gate",
         "gate/a_read_that_saw_a_change_waits_for_it"),
        ("unit/shard/test_shard_group_commit",
         "group_commit/a_lone_booking_is_written_at_once_and_answered_when_durable"),
        SEEDS,
    ],
    "answer_of_slot_before_sync": [
        ("unit/shard/test_shard_order",
         "order/answers_of_one_hotel_keep_the_order_of_its_requests"),
        SEEDS,
    ],
    "body_unchecked": [
        ("unit/log/test_log_batch",
         "batch/no_bit_of_body_or_padding_may_flip"),
        ("unit/log/test_log_matrix",
         "matrix/row_2_torn_first_batch_of_a_segment"),
        ("unit/log/test_log_lives",
         "lives/damage_ends_in_refusal_or_in_all_that_is_witnessed"),
        CUTS,
    ],
    "chain_unchecked": [
        ("unit/log/test_log_matrix",
         "matrix/row_8_chain_that_breaks"),
    ],
    "check_out_night_counted": [
        ("unit/inventory/test_inventory_admission",
         "admission/each_cause_alone_refuses_and_none_admits"),
        STEPS,
    ],
    "chunk_stamp_ignored": [
        ("unit/inventory/test_inventory_chunk",
         "chunk/what_follows_applies_to_the_copy_alike"),
        STEPS,
        CUTS,
    ],
    "confirm_after_expiry": [
        ("unit/inventory/test_inventory_expiry",
         "expiry/a_hold_can_be_confirmed_until_its_deadline_and_not_at_it"),
        ("unit/inventory/test_inventory_lifecycle",
         "lifecycle/every_state_meets_every_transition"),
        STEPS,
        LIVES,
    ],
    "credit_ignored": [
        ("unit/inventory/test_inventory_modify",
         "modify/a_guest_in_the_house_stays_longer_in_another_room"),
        STEPS,
    ],
    "ctd_on_last_night": [
        ("unit/inventory/test_inventory_stay_check",
         "stay_check/explains_every_failing_rule_in_order"),
        STEPS,
        RESTRICTIONS,
    ],
    "denial_on_check_in": [
        ("unit/inventory/test_inventory_refusals",
         "refusals/are_counted_once_by_hotel_type_rule_and_night"),
        STEPS,
    ],
    "denial_counted_as_sale": [
        ("unit/inventory/test_inventory_refusals",
         "refusals/take_no_room_and_are_no_sale"),
        STEPS,
    ],
    "digest_unchecked": [
        ("unit/inventory/test_inventory_chunk",
         "chunk/a_recorded_digest_is_held_against_the_state"),
        ("unit/shard/test_shard_restart",
         "restart/a_clean_stop_leaves_a_snapshot_and_a_digest_that_replay_must_meet"),
    ],
    "directory_not_synced": [
        ("fault/test_log_sim",
         "log_sim/what_was_acknowledged_survives_every_accident"),
        CUTS,
    ],
    "dsync_missing": [
        ("fault/test_log_sim",
         "log_sim/what_was_acknowledged_survives_every_accident"),
        CUTS,
    ],
    "epoch_not_moved": [
        ("unit/log/test_log_matrix",
         "matrix/row_0_mark_missing"),
    ],
    "expiry_by_wall_clock": [
        ("unit/shard/test_shard_clock",
         "clock/a_long_silence_buys_no_jump"),
    ],
    "expiry_late": [
        ("unit/inventory/test_inventory_expiry",
         "expiry/a_hold_can_be_confirmed_until_its_deadline_and_not_at_it"),
        STEPS,
    ],
    "force_by_anybody": [
        ("unit/proto/test_proto_access",
         "access/a_principal_says_its_role_and_how_it_is_known"),
    ],
    "force_overflows_counter": [
        ("unit/inventory/test_inventory_modify",
         "force/keeps_to_names_dates_prices_and_the_counters_width"),
        STEPS,
    ],
    "grace_twice": [
        ("unit/inventory/test_inventory_expiry",
         "expiry/a_restart_gives_lapsed_holds_a_grace_once"),
    ],
    "guest_holds_kept": [
        ("unit/inventory/test_inventory_admission",
         "admission/live_holds_are_capped_by_hotel_and_by_guest"),
        STEPS,
    ],
    "header_unchecked": [
        ("unit/log/test_log_batch",
         "batch/no_bit_of_the_header_may_flip"),
        ("unit/log/test_log_matrix",
         "matrix/row_4_bad_first_batch_of_the_oldest_segment"),
    ],
    "hold_cap_off_by_one": [
        ("unit/inventory/test_inventory_admission",
         "admission/live_holds_are_capped_by_hotel_and_by_guest"),
        STEPS,
    ],
    "hold_expires_twice": [
        ("unit/inventory/test_inventory_expiry",
         "expiry/a_grace_reaches_every_lapsed_hold_of_many"),
        STEPS,
    ],
    "hold_ttl_unbounded": [
        ("unit/inventory/test_inventory_expiry",
         "expiry/the_time_to_live_is_the_hotels_unless_asked_and_capped"),
        STEPS,
    ],
    "id_indexed_after_answer": [
        ("unit/shard/test_shard_gate",
         "gate/an_id_that_comes_twice_in_one_step_is_sold_once"),
        ("unit/shard/test_shard_gate",
         "gate/a_refusal_and_a_repeat_wait_for_what_they_show"),
    ],
    "import_over_limit": [
        STEPS,
    ],
    "kept_night_at_todays_price": [
        ("unit/inventory/test_inventory_modify",
         "modify/kept_nights_keep_their_price_and_new_ones_cost_todays"),
        STEPS,
    ],
    "key_reuse_unseen": [
        ("unit/inventory/test_inventory_admission",
         "admission/each_cause_alone_refuses_and_none_admits"),
        STEPS,
    ],
    "late_answer_misdirected": [
        ("unit/router/test_router_route",
         "route/forgets_a_request_past_its_deadline_and_drops_the_late_answer"),
    ],
    "length_trusted": [
        ("unit/log/test_log_matrix",
         "matrix/row_2_torn_last_batch_half_old_half_new"),
    ],
    "limit_off_by_one": [
        ("unit/inventory/test_inventory_admission",
         "admission/a_limit_below_what_is_sold_shows_nothing_left"),
        STEPS,
    ],
    "mark_ignored": [
        ("unit/log/test_log_matrix",
         "matrix/row_20_last_segment_cut_under_a_mark"),
    ],
    "old_counts_unchecked": [
        ("unit/inventory/test_inventory_contradiction",
         "contradiction/a_sale_that_does_not_fit_is_refused_whole"),
    ],
    "operations_reordered": [
        ("unit/router/test_router_route",
         "route/keeps_requests_waiting_while_the_link_is_down_and_sends_them_in_their_order"),
        ("unit/router/test_router_sim",
         "router_sim/keeps_its_promises_while_everything_breaks"),
    ],
    "penalty_late": [
        ("unit/inventory/test_inventory_terms",
         "terms/a_tier_holds_from_its_hour_on_until_the_next_one_begins"),
        STEPS,
    ],
    "penalty_rounded_down": [
        ("unit/inventory/test_inventory_terms",
         "terms/a_share_is_of_the_lines_price_and_half_a_minor_unit_is_rounded_up"),
    ],
    "principal_believed": [
        ("unit/router/test_router_route",
         "route/rejects_a_client_that_stamps_what_only_a_router_may"),
    ],
    "purge_before_sync": [
        ("unit/shard/test_shard_gate",
         "gate/an_id_is_too_old_only_when_the_retirement_that_says_so_is_durable"),
    ],
    "purge_mark_lost": [
        ("unit/inventory/test_inventory_retire",
         "retire/a_calendar_that_changes_is_followed"),
        STEPS,
    ],
    "read_only_sells": [
        ("unit/shard/test_shard_read_only",
         "read_only/with_little_room_sales_stop_and_what_gives_back_goes_on"),
    ],
    "refusal_forgotten": [
        ("unit/inventory/test_inventory_refusals",
         "refusals/the_ring_forgets_the_oldest_first"),
        STEPS,
    ],
    "repeat_before_sync": [
        ("unit/shard/test_shard_gate",
         "gate/a_refusal_and_a_repeat_wait_for_what_they_show"),
        SEEDS,
    ],
    "retirement_of_the_living": [
        ("unit/inventory/test_inventory_retire",
         "retire/a_stay_leaves_seven_days_after_check_out_by_the_hotels_calendar"),
        STEPS,
    ],
    "retry_executed_again": [
        ("unit/inventory/test_inventory_admission",
         "admission/each_cause_alone_refuses_and_none_admits"),
        STEPS,
    ],
    "second_line_not_undone": [
        ("unit/inventory/test_inventory_stays",
         "stays/lines_that_continue_one_another_are_one_stay"),
        STEPS,
    ],
    "snapshot_ahead_accepted": [
        ("unit/log/test_log_matrix",
         "matrix/row_12_snapshot_newer_than_the_log"),
    ],
    "snapshot_unverified": [
        ("unit/log/test_snap_io",
         "snap_io/what_cannot_be_read_back_is_no_snapshot"),
    ],
    "stale_batch_accepted": [
        ("unit/log/test_log_matrix",
         "matrix/row_7_stale_batch_of_a_recycled_segment_at_the_end"),
    ],
    "stay_through_ignores_last_night": [
        ("unit/inventory/test_inventory_stay_check",
         "stay_check/a_length_limit_is_asked_of_every_stayed_night_and_not_of_the_check_out_date"),
        STEPS,
        RESTRICTIONS,
    ],
    "timer_before_grace": [
        ("unit/shard/test_shard_expiry",
         "expiry/holds_that_lapsed_while_the_shard_was_down_get_one_grace"),
    ],
    "unknown_told_as_unavailable": [
        ("unit/router/test_router_route",
         "route/breaks_the_link_to_a_shard_that_answers_with_another_type"),
    ],
    "version_moved_by_sale": [
        ("unit/inventory/test_inventory_stays",
         "stays/selling_and_giving_back_leave_the_version_that_updates_are_made_for"),
        STEPS,
    ],
    "window_drops_today": [
        ("unit/inventory/test_inventory_window",
         "window/a_date_that_never_was_is_passed_over"),
        STEPS,
    ],
    "witness_ignored": [
        ("unit/log/test_log_matrix",
         "matrix/row_18_unreadable_sector_of_an_acknowledged_batch"),
        ("unit/log/test_log_lives",
         "lives/damage_ends_in_refusal_or_in_all_that_is_witnessed"),
    ],
}


def bugs_of_header():
    with open(os.path.join(ROOT, "base/bug.h"), encoding="utf-8") as file:
        return dict(re.findall(r'^\tX\([A-Z_0-9]+, *"(\w+)",[\s\\]*"([^"]+)"\)', file.read(), re.M))


class Command:
    def __init__(self, build, catch):
        program, *self.words, self.what = catch
        self.build = os.path.abspath(build)
        self.path = os.path.join(self.build, "tests", program)
        self.is_criterion = not self.words
        if self.is_criterion:
            self.words = ["-j1", f"--filter={self.what}"]
            self.name = self.what
        else:
            self.name = " ".join([os.path.basename(program)] + self.words)

    def run(self, bug, seconds_max=SECONDS_MAX):
        """(exit status or None, output, seconds)"""
        env = dict(os.environ, KEYRACK_BUG=bug, CRITERION_SHORT_FILENAME="1")
        for name in ("KEYRACK_LONG", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
            env.pop(name, None)
        began = time.monotonic()
        # A test that fails leaves its files.
        with tempfile.TemporaryDirectory(dir=self.build, prefix="bug-") as folder:
            try:
                limited = ["sh", "-c", f'ulimit -S -t {seconds_max}; exec "$@"', "sh"]
                done = subprocess.run(limited + [self.path] + self.words, cwd=folder, env=env,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      timeout=WALL_SECONDS_MAX, check=False)
                status, output = done.returncode, done.stdout
            except subprocess.TimeoutExpired as late:
                status, output = None, late.stdout or b""
        seconds = time.monotonic() - began
        return status, COLOURS.sub("", output.decode(errors="replace")), seconds

    def count_run(self, output):
        tested = re.search(r"Tested: (\d+)", output)
        return int(tested.group(1)) if tested else 0

    def why_not_caught(self, status, output):
        if status is None:
            return f"not within {WALL_SECONDS_MAX} s"
        if status == 0:
            return "passes"
        if status == EXIT_UNKNOWN_BUG:
            return "the bug is not in this build"
        if self.is_criterion:
            suite, name = self.what.split("/")
            if f"[FAIL] {suite}::{name}" not in output:
                return "another test fails"
            has_crashed = "CRASH" in output or "Unexpected signal" in output
            return "crashes" if has_crashed and "assertion failed" not in output else None
        if status == -signal.SIGXCPU:
            return f"not within {SECONDS_MAX} s of processor time"
        if status < 0 and status != -signal.SIGABRT:
            return f"ends by signal {-status}"
        return None if re.search(self.what, output) else "fails, but not for that"

    def why_not_clean(self, status, output):
        if status != 0:
            return f"fails without a bug: status {status}"
        if self.is_criterion and self.count_run(output) != 1:
            return f"the filter fits {self.count_run(output)} tests"
        return None


def told(work, jobs, count):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        yield from pool.map(lambda job: (job, work(job)), jobs)


def programs():
    """The targets of ninja, relative to the build."""
    return sorted({os.path.join("tests", catch[0]) for catches in CATCHES.values()
                   for catch in catches})


def canary(command):
    status, _, _ = command.run("no_such_bug")
    if status != EXIT_UNKNOWN_BUG:
        sys.exit(f"an unknown name ends with {status}: this build has no planted bugs")
    why = command.why_not_caught(*command.run("")[:2])
    if why != "passes":
        sys.exit(f"no bug at all is caught: {why}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("build", nargs="?", default="build-bugs")
    parser.add_argument("names", nargs="*")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true", help="what the tests said")
    options = parser.parse_args()
    if options.programs:
        print(*programs())
        return
    bugs = bugs_of_header()
    if set(bugs) != set(CATCHES):
        print("base/bug.h and score.py differ:", *sorted(set(bugs) ^ set(CATCHES)))
        sys.exit(2)
    names = options.names or sorted(bugs)
    commands = {catch: Command(options.build, catch) for name in names for catch in CATCHES[name]}
    canary(next(iter(commands.values())))
    escaped, faults = set(), []

    jobs = [(name, catch) for name in names for catch in CATCHES[name]]
    for (name, catch), result in told(lambda job: commands[job[1]].run(job[0]), jobs, options.jobs):
        why = commands[catch].why_not_caught(*result[:2])
        verdict = f" | NOT: {why}" if why else ""
        print(f"| {name} | {commands[catch].name} | {result[2]:.1f}{verdict} |", flush=True)
        if options.verbose or (why and why != "passes"):
            print(result[1])
        if why:
            escaped.add(name)
    for catch, result in told(lambda job: commands[job].run("", CLEAN_SECONDS_MAX),
                             list(commands), options.jobs):
        why = commands[catch].why_not_clean(*result[:2])
        if why:
            faults.append(f"{commands[catch].name}: {why}")
    for fault in faults:
        print(fault)
    for name in sorted(escaped):
        print(f"not caught: {name}: {bugs[name]}")
    print(f"{len(names) - len(escaped)} of {len(names)} caught")
    sys.exit(2 if faults else 1 if escaped else 0)


if __name__ == "__main__":
    main()
