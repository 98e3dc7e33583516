/* The commands of keyrack, as main.c lists them; each returns an exit code. */
#ifndef TOOLS_KEYRACK_COMMANDS_H
#define TOOLS_KEYRACK_COMMANDS_H

#include "tools/keyrack/cli.h"

cli_run cluster_start_run;
cli_run cluster_stop_run;
cli_run cluster_status_run;
cli_run hotel_put_run;
cli_run hotel_get_run;
cli_run hotel_list_run;
cli_run type_put_run;
cli_run type_get_run;
cli_run inventory_set_run;
cli_run availability_run;
cli_run overbooked_run;
cli_run occupancy_run;
cli_run denials_run;
cli_run hold_run;
cli_run book_run;
cli_run confirm_run;
cli_run release_run;
cli_run cancel_run;
cli_run resolve_run;
cli_run extend_run;
cli_run attach_payment_run;
cli_run check_in_run;
cli_run complete_run;
cli_run no_show_run;
cli_run modify_run;
cli_run reservation_get_run;
cli_run reservation_list_run;
cli_run reservation_due_run;
cli_run reservation_stuck_run;
cli_run export_hotels_run;
cli_run export_types_run;
cli_run export_calendar_run;
cli_run export_reservations_run;
cli_run import_hotels_run;
cli_run import_types_run;
cli_run import_calendar_run;
cli_run backup_run;
cli_run restore_run;
cli_run snapshot_run;
cli_run stats_run;
cli_run top_run;
cli_run ping_run;
cli_run router_status_run;
cli_run router_map_run;
cli_run router_connections_run;
cli_run slot_run;
cli_run token_run;
cli_run shell_run;
cli_run completion_run;

#endif
