# Completes relet's commands and flags in bash. For this shell: eval "$(relet completion bash)"; for good: put that line into ~/.bashrc.

_shtab_relet_jobs_subparsers=(ls show why cancel retry rm)
_shtab_relet_batches_subparsers=(ls show)
_shtab_relet_dead_subparsers=(ls show stats retry resolve rm)
_shtab_relet_queues_subparsers=(ls pause resume drain purge limit unlimit shares share unshare)
_shtab_relet_routines_subparsers=(ls show history trigger backfill enable disable pause resume delete)
_shtab_relet_schedules_subparsers=(upsert ls show history trigger backfill enable disable pause resume delete)
_shtab_relet_limits_subparsers=(ls show set pause resume forget)
_shtab_relet_breakers_subparsers=(ls show open close reset)
_shtab_relet_webhooks_subparsers=(show test enable disable rotate rm ls add deliveries redeliver)
_shtab_relet_budgets_subparsers=(ls show set lift forget)
_shtab_relet_workers_subparsers=(ls drain stop)
_shtab_relet_tokens_subparsers=(ls add revoke)
_shtab_relet_migrate_subparsers=(status plan apply)
_shtab_relet_subparsers=(demo init worker web enqueue run status health top jobs why batches dead queues routines schedules limits breakers webhooks costs budgets workers leases recover tokens migrate doctor completion version)

_shtab_relet_demo_option_strings=(-h --help --url --chaos --keep --json --quiet --no-color)
_shtab_relet_init_option_strings=(-h --help --json --jsonl --quiet --no-color)
_shtab_relet_worker_option_strings=(-h --help --reload --patience --url -A --app --worker -q --queues --queue-limits --slots --turn-size --lease --heartbeat --poll --grace --routine-grace --max-concurrent-routines --cancel-grace --offers --tier --tier-wait --max-payload --max-backlog --keep-finished --keep-dead --keep-audit --health-window --health-errors --health-recovered-errors --health-failure-percent --prices --lock-dir --webhook-slots --webhook-timeout --webhook-allow --webhook-patience --webhook-secret --log-format --log-level --quiet --no-color)
_shtab_relet_web_option_strings=(-h --help --host --port --auth --allow-host --url -A --app --quiet --no-color)
_shtab_relet_enqueue_option_strings=(-h --help --delay --at --priority --queue --unique --on-conflict --by-name --wait --timeout --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_run_option_strings=(-h --help --once -q --queues --slots --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_status_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_health_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_top_option_strings=(-h --help --interval --once --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_ls_option_strings=(-h --help --state --task --queue --worker --since --until --stuck --limit --before --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_show_option_strings=(-h --help --logs --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_why_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_cancel_option_strings=(-h --help --state --task --queue --worker --since --until --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color --reason --grace)
_shtab_relet_jobs_retry_option_strings=(-h --help --state --task --queue --worker --since --until --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_rm_option_strings=(-h --help --state --task --queue --worker --since --until --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_jobs_option_strings=(-h --help)
_shtab_relet_why_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_batches_ls_option_strings=(-h --help --label --open --limit --before --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_batches_show_option_strings=(-h --help --state --jobs --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_batches_option_strings=(-h --help)
_shtab_relet_dead_ls_option_strings=(-h --help --task --queue --reason --error --since --until --resolved --all --limit --before --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_dead_show_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_dead_stats_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_dead_retry_option_strings=(-h --help --task --queue --reason --error --since --until --all --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color --args)
_shtab_relet_dead_resolve_option_strings=(-h --help --task --queue --reason --error --since --until --all --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color --notes --reopen)
_shtab_relet_dead_rm_option_strings=(-h --help --task --queue --reason --error --since --until --all --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color --resolved)
_shtab_relet_dead_option_strings=(-h --help)
_shtab_relet_queues_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_pause_option_strings=(-h --help --for --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_resume_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_drain_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_purge_option_strings=(-h --help --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_limit_option_strings=(-h --help --concurrency --rate --per-worker --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_unlimit_option_strings=(-h --help --forget --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_shares_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_share_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_unshare_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_queues_option_strings=(-h --help)
_shtab_relet_routines_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_show_option_strings=(-h --help --limit --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_history_option_strings=(-h --help --limit --before --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_trigger_option_strings=(-h --help --force --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_backfill_option_strings=(-h --help --limit --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_enable_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_disable_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_pause_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_resume_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_delete_option_strings=(-h --help --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_routines_option_strings=(-h --help)
_shtab_relet_schedules_upsert_option_strings=(-h --help --every --cron --tz --catchup --overlap --jitter --depends-on --max-failures --disabled --priority --queue --by-name --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_show_option_strings=(-h --help --limit --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_history_option_strings=(-h --help --limit --before --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_trigger_option_strings=(-h --help --force --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_backfill_option_strings=(-h --help --limit --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_enable_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_disable_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_pause_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_resume_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_delete_option_strings=(-h --help --dry-run --yes --no-input --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_schedules_option_strings=(-h --help)
_shtab_relet_limits_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_show_option_strings=(-h --help --after --limit --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_set_option_strings=(-h --help --concurrency --rate --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_pause_option_strings=(-h --help --for --key --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_resume_option_strings=(-h --help --key --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_forget_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_limits_option_strings=(-h --help)
_shtab_relet_breakers_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_breakers_show_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_breakers_open_option_strings=(-h --help --for --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_breakers_close_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_breakers_reset_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_breakers_option_strings=(-h --help)
_shtab_relet_webhooks_show_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_test_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_enable_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_disable_option_strings=(-h --help --reason --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_rotate_option_strings=(-h --help --keep --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_rm_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_add_option_strings=(-h --help -e --event --name --queue --task --format --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_deliveries_option_strings=(-h --help --webhook --state --limit --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_redeliver_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_webhooks_option_strings=(-h --help)
_shtab_relet_costs_option_strings=(-h --help --by --since --until --task --queue --model --tenant --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_show_option_strings=(-h --help --after --keys --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_set_option_strings=(-h --help --queue --task --model --tenant --per --closes --limit --warn --on-exceeded --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_lift_option_strings=(-h --help --key --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_forget_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_budgets_option_strings=(-h --help)
_shtab_relet_workers_ls_option_strings=(-h --help --ended --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_workers_drain_option_strings=(-h --help --all --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_workers_stop_option_strings=(-h --help --all --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_workers_option_strings=(-h --help)
_shtab_relet_leases_option_strings=(-h --help --limit --expired --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_recover_option_strings=(-h --help --dry-run --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_tokens_ls_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_tokens_add_option_strings=(-h --help --role --scope --lasts --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_tokens_revoke_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_tokens_option_strings=(-h --help)
_shtab_relet_migrate_status_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_migrate_plan_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_migrate_apply_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_migrate_option_strings=(-h --help --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_doctor_option_strings=(-h --help --strict --url -A --app --json --jsonl --quiet --no-color)
_shtab_relet_completion_option_strings=(-h --help --quiet --no-color)
_shtab_relet_version_option_strings=(-h --help --json --jsonl --quiet --no-color)
_shtab_relet_option_strings=(-h --help --version)



_shtab_relet_web___auth_choices=(auto on off)
_shtab_relet_enqueue___on_conflict_choices=(existing raise replace)
_shtab_relet_jobs_ls___state_choices=(waiting scheduled ready running succeeded cancelled dead)
_shtab_relet_jobs_cancel___state_choices=(waiting scheduled ready running succeeded cancelled dead)
_shtab_relet_jobs_retry___state_choices=(waiting scheduled ready running succeeded cancelled dead)
_shtab_relet_jobs_rm___state_choices=(waiting scheduled ready running succeeded cancelled dead)
_shtab_relet_jobs_pos_0_choices=(ls show why cancel retry rm)
_shtab_relet_batches_show___state_choices=(open succeeded dead cancelled)
_shtab_relet_batches_pos_0_choices=(ls show)
_shtab_relet_dead_pos_0_choices=(ls show stats retry resolve rm)
_shtab_relet_queues_pos_0_choices=(ls pause resume drain purge limit unlimit shares share unshare)
_shtab_relet_routines_pos_0_choices=(ls show history trigger backfill enable disable pause resume delete)
_shtab_relet_schedules_upsert___overlap_choices=(skip queue allow)
_shtab_relet_schedules_pos_0_choices=(upsert ls show history trigger backfill enable disable pause resume delete)
_shtab_relet_limits_pos_0_choices=(ls show set pause resume forget)
_shtab_relet_breakers_pos_0_choices=(ls show open close reset)
_shtab_relet_webhooks_add___format_choices=(standard cloudevents)
_shtab_relet_webhooks_deliveries___state_choices=(pending delivered failed dropped)
_shtab_relet_webhooks_pos_0_choices=(show test enable disable rotate rm ls add deliveries redeliver)
_shtab_relet_budgets_set___per_choices=(tenant '')
_shtab_relet_budgets_set___on_exceeded_choices=(pause reject)
_shtab_relet_budgets_pos_0_choices=(ls show set lift forget)
_shtab_relet_workers_pos_0_choices=(ls drain stop)
_shtab_relet_tokens_add___role_choices=(viewer operator admin)
_shtab_relet_tokens_pos_0_choices=(ls add revoke)
_shtab_relet_migrate_pos_0_choices=(status plan apply)
_shtab_relet_completion_pos_0_choices=(bash zsh)
_shtab_relet_pos_0_choices=(demo init worker web enqueue run status health top jobs why batches dead queues routines schedules limits breakers webhooks costs budgets workers leases recover tokens migrate doctor completion version)

_shtab_relet_demo__h_nargs=0
_shtab_relet_demo___help_nargs=0
_shtab_relet_demo___json_nargs=0
_shtab_relet_demo___quiet_nargs=0
_shtab_relet_demo___no_color_nargs=0
_shtab_relet_init__h_nargs=0
_shtab_relet_init___help_nargs=0
_shtab_relet_init___json_nargs=0
_shtab_relet_init___jsonl_nargs=0
_shtab_relet_init___quiet_nargs=0
_shtab_relet_init___no_color_nargs=0
_shtab_relet_worker__h_nargs=0
_shtab_relet_worker___help_nargs=0
_shtab_relet_worker___reload_nargs=0
_shtab_relet_worker___quiet_nargs=0
_shtab_relet_worker___no_color_nargs=0
_shtab_relet_web__h_nargs=0
_shtab_relet_web___help_nargs=0
_shtab_relet_web___quiet_nargs=0
_shtab_relet_web___no_color_nargs=0
_shtab_relet_enqueue_pos_1_nargs='*'
_shtab_relet_enqueue__h_nargs=0
_shtab_relet_enqueue___help_nargs=0
_shtab_relet_enqueue___by_name_nargs=0
_shtab_relet_enqueue___wait_nargs=0
_shtab_relet_enqueue___json_nargs=0
_shtab_relet_enqueue___jsonl_nargs=0
_shtab_relet_enqueue___quiet_nargs=0
_shtab_relet_enqueue___no_color_nargs=0
_shtab_relet_run_pos_1_nargs='*'
_shtab_relet_run__h_nargs=0
_shtab_relet_run___help_nargs=0
_shtab_relet_run___once_nargs=0
_shtab_relet_run___json_nargs=0
_shtab_relet_run___jsonl_nargs=0
_shtab_relet_run___quiet_nargs=0
_shtab_relet_run___no_color_nargs=0
_shtab_relet_status__h_nargs=0
_shtab_relet_status___help_nargs=0
_shtab_relet_status___json_nargs=0
_shtab_relet_status___jsonl_nargs=0
_shtab_relet_status___quiet_nargs=0
_shtab_relet_status___no_color_nargs=0
_shtab_relet_health__h_nargs=0
_shtab_relet_health___help_nargs=0
_shtab_relet_health___json_nargs=0
_shtab_relet_health___jsonl_nargs=0
_shtab_relet_health___quiet_nargs=0
_shtab_relet_health___no_color_nargs=0
_shtab_relet_top__h_nargs=0
_shtab_relet_top___help_nargs=0
_shtab_relet_top___once_nargs=0
_shtab_relet_top___json_nargs=0
_shtab_relet_top___jsonl_nargs=0
_shtab_relet_top___quiet_nargs=0
_shtab_relet_top___no_color_nargs=0
_shtab_relet_jobs_ls__h_nargs=0
_shtab_relet_jobs_ls___help_nargs=0
_shtab_relet_jobs_ls___stuck_nargs='?'
_shtab_relet_jobs_ls___json_nargs=0
_shtab_relet_jobs_ls___jsonl_nargs=0
_shtab_relet_jobs_ls___quiet_nargs=0
_shtab_relet_jobs_ls___no_color_nargs=0
_shtab_relet_jobs_show__h_nargs=0
_shtab_relet_jobs_show___help_nargs=0
_shtab_relet_jobs_show___json_nargs=0
_shtab_relet_jobs_show___jsonl_nargs=0
_shtab_relet_jobs_show___quiet_nargs=0
_shtab_relet_jobs_show___no_color_nargs=0
_shtab_relet_jobs_why__h_nargs=0
_shtab_relet_jobs_why___help_nargs=0
_shtab_relet_jobs_why___json_nargs=0
_shtab_relet_jobs_why___jsonl_nargs=0
_shtab_relet_jobs_why___quiet_nargs=0
_shtab_relet_jobs_why___no_color_nargs=0
_shtab_relet_jobs_cancel_pos_0_nargs='*'
_shtab_relet_jobs_cancel__h_nargs=0
_shtab_relet_jobs_cancel___help_nargs=0
_shtab_relet_jobs_cancel___dry_run_nargs=0
_shtab_relet_jobs_cancel___yes_nargs=0
_shtab_relet_jobs_cancel___no_input_nargs=0
_shtab_relet_jobs_cancel___json_nargs=0
_shtab_relet_jobs_cancel___jsonl_nargs=0
_shtab_relet_jobs_cancel___quiet_nargs=0
_shtab_relet_jobs_cancel___no_color_nargs=0
_shtab_relet_jobs_retry_pos_0_nargs='*'
_shtab_relet_jobs_retry__h_nargs=0
_shtab_relet_jobs_retry___help_nargs=0
_shtab_relet_jobs_retry___dry_run_nargs=0
_shtab_relet_jobs_retry___yes_nargs=0
_shtab_relet_jobs_retry___no_input_nargs=0
_shtab_relet_jobs_retry___json_nargs=0
_shtab_relet_jobs_retry___jsonl_nargs=0
_shtab_relet_jobs_retry___quiet_nargs=0
_shtab_relet_jobs_retry___no_color_nargs=0
_shtab_relet_jobs_rm_pos_0_nargs='*'
_shtab_relet_jobs_rm__h_nargs=0
_shtab_relet_jobs_rm___help_nargs=0
_shtab_relet_jobs_rm___dry_run_nargs=0
_shtab_relet_jobs_rm___yes_nargs=0
_shtab_relet_jobs_rm___no_input_nargs=0
_shtab_relet_jobs_rm___json_nargs=0
_shtab_relet_jobs_rm___jsonl_nargs=0
_shtab_relet_jobs_rm___quiet_nargs=0
_shtab_relet_jobs_rm___no_color_nargs=0
_shtab_relet_jobs_pos_0_nargs=A...
_shtab_relet_jobs__h_nargs=0
_shtab_relet_jobs___help_nargs=0
_shtab_relet_why__h_nargs=0
_shtab_relet_why___help_nargs=0
_shtab_relet_why___json_nargs=0
_shtab_relet_why___jsonl_nargs=0
_shtab_relet_why___quiet_nargs=0
_shtab_relet_why___no_color_nargs=0
_shtab_relet_batches_ls__h_nargs=0
_shtab_relet_batches_ls___help_nargs=0
_shtab_relet_batches_ls___open_nargs=0
_shtab_relet_batches_ls___json_nargs=0
_shtab_relet_batches_ls___jsonl_nargs=0
_shtab_relet_batches_ls___quiet_nargs=0
_shtab_relet_batches_ls___no_color_nargs=0
_shtab_relet_batches_show__h_nargs=0
_shtab_relet_batches_show___help_nargs=0
_shtab_relet_batches_show___json_nargs=0
_shtab_relet_batches_show___jsonl_nargs=0
_shtab_relet_batches_show___quiet_nargs=0
_shtab_relet_batches_show___no_color_nargs=0
_shtab_relet_batches_pos_0_nargs=A...
_shtab_relet_batches__h_nargs=0
_shtab_relet_batches___help_nargs=0
_shtab_relet_dead_ls__h_nargs=0
_shtab_relet_dead_ls___help_nargs=0
_shtab_relet_dead_ls___resolved_nargs=0
_shtab_relet_dead_ls___all_nargs=0
_shtab_relet_dead_ls___json_nargs=0
_shtab_relet_dead_ls___jsonl_nargs=0
_shtab_relet_dead_ls___quiet_nargs=0
_shtab_relet_dead_ls___no_color_nargs=0
_shtab_relet_dead_show__h_nargs=0
_shtab_relet_dead_show___help_nargs=0
_shtab_relet_dead_show___json_nargs=0
_shtab_relet_dead_show___jsonl_nargs=0
_shtab_relet_dead_show___quiet_nargs=0
_shtab_relet_dead_show___no_color_nargs=0
_shtab_relet_dead_stats__h_nargs=0
_shtab_relet_dead_stats___help_nargs=0
_shtab_relet_dead_stats___json_nargs=0
_shtab_relet_dead_stats___jsonl_nargs=0
_shtab_relet_dead_stats___quiet_nargs=0
_shtab_relet_dead_stats___no_color_nargs=0
_shtab_relet_dead_retry_pos_0_nargs='*'
_shtab_relet_dead_retry__h_nargs=0
_shtab_relet_dead_retry___help_nargs=0
_shtab_relet_dead_retry___all_nargs=0
_shtab_relet_dead_retry___dry_run_nargs=0
_shtab_relet_dead_retry___yes_nargs=0
_shtab_relet_dead_retry___no_input_nargs=0
_shtab_relet_dead_retry___json_nargs=0
_shtab_relet_dead_retry___jsonl_nargs=0
_shtab_relet_dead_retry___quiet_nargs=0
_shtab_relet_dead_retry___no_color_nargs=0
_shtab_relet_dead_resolve_pos_0_nargs='*'
_shtab_relet_dead_resolve__h_nargs=0
_shtab_relet_dead_resolve___help_nargs=0
_shtab_relet_dead_resolve___all_nargs=0
_shtab_relet_dead_resolve___dry_run_nargs=0
_shtab_relet_dead_resolve___yes_nargs=0
_shtab_relet_dead_resolve___no_input_nargs=0
_shtab_relet_dead_resolve___json_nargs=0
_shtab_relet_dead_resolve___jsonl_nargs=0
_shtab_relet_dead_resolve___quiet_nargs=0
_shtab_relet_dead_resolve___no_color_nargs=0
_shtab_relet_dead_resolve___reopen_nargs=0
_shtab_relet_dead_rm_pos_0_nargs='*'
_shtab_relet_dead_rm__h_nargs=0
_shtab_relet_dead_rm___help_nargs=0
_shtab_relet_dead_rm___all_nargs=0
_shtab_relet_dead_rm___dry_run_nargs=0
_shtab_relet_dead_rm___yes_nargs=0
_shtab_relet_dead_rm___no_input_nargs=0
_shtab_relet_dead_rm___json_nargs=0
_shtab_relet_dead_rm___jsonl_nargs=0
_shtab_relet_dead_rm___quiet_nargs=0
_shtab_relet_dead_rm___no_color_nargs=0
_shtab_relet_dead_rm___resolved_nargs=0
_shtab_relet_dead_pos_0_nargs=A...
_shtab_relet_dead__h_nargs=0
_shtab_relet_dead___help_nargs=0
_shtab_relet_queues_ls__h_nargs=0
_shtab_relet_queues_ls___help_nargs=0
_shtab_relet_queues_ls___json_nargs=0
_shtab_relet_queues_ls___jsonl_nargs=0
_shtab_relet_queues_ls___quiet_nargs=0
_shtab_relet_queues_ls___no_color_nargs=0
_shtab_relet_queues_pause_pos_0_nargs=+
_shtab_relet_queues_pause__h_nargs=0
_shtab_relet_queues_pause___help_nargs=0
_shtab_relet_queues_pause___json_nargs=0
_shtab_relet_queues_pause___jsonl_nargs=0
_shtab_relet_queues_pause___quiet_nargs=0
_shtab_relet_queues_pause___no_color_nargs=0
_shtab_relet_queues_resume_pos_0_nargs=+
_shtab_relet_queues_resume__h_nargs=0
_shtab_relet_queues_resume___help_nargs=0
_shtab_relet_queues_resume___json_nargs=0
_shtab_relet_queues_resume___jsonl_nargs=0
_shtab_relet_queues_resume___quiet_nargs=0
_shtab_relet_queues_resume___no_color_nargs=0
_shtab_relet_queues_drain_pos_0_nargs=+
_shtab_relet_queues_drain__h_nargs=0
_shtab_relet_queues_drain___help_nargs=0
_shtab_relet_queues_drain___json_nargs=0
_shtab_relet_queues_drain___jsonl_nargs=0
_shtab_relet_queues_drain___quiet_nargs=0
_shtab_relet_queues_drain___no_color_nargs=0
_shtab_relet_queues_purge_pos_0_nargs=+
_shtab_relet_queues_purge__h_nargs=0
_shtab_relet_queues_purge___help_nargs=0
_shtab_relet_queues_purge___dry_run_nargs=0
_shtab_relet_queues_purge___yes_nargs=0
_shtab_relet_queues_purge___no_input_nargs=0
_shtab_relet_queues_purge___json_nargs=0
_shtab_relet_queues_purge___jsonl_nargs=0
_shtab_relet_queues_purge___quiet_nargs=0
_shtab_relet_queues_purge___no_color_nargs=0
_shtab_relet_queues_limit_pos_0_nargs=+
_shtab_relet_queues_limit__h_nargs=0
_shtab_relet_queues_limit___help_nargs=0
_shtab_relet_queues_limit___json_nargs=0
_shtab_relet_queues_limit___jsonl_nargs=0
_shtab_relet_queues_limit___quiet_nargs=0
_shtab_relet_queues_limit___no_color_nargs=0
_shtab_relet_queues_unlimit_pos_0_nargs=+
_shtab_relet_queues_unlimit__h_nargs=0
_shtab_relet_queues_unlimit___help_nargs=0
_shtab_relet_queues_unlimit___forget_nargs=0
_shtab_relet_queues_unlimit___json_nargs=0
_shtab_relet_queues_unlimit___jsonl_nargs=0
_shtab_relet_queues_unlimit___quiet_nargs=0
_shtab_relet_queues_unlimit___no_color_nargs=0
_shtab_relet_queues_shares__h_nargs=0
_shtab_relet_queues_shares___help_nargs=0
_shtab_relet_queues_shares___json_nargs=0
_shtab_relet_queues_shares___jsonl_nargs=0
_shtab_relet_queues_shares___quiet_nargs=0
_shtab_relet_queues_shares___no_color_nargs=0
_shtab_relet_queues_share__h_nargs=0
_shtab_relet_queues_share___help_nargs=0
_shtab_relet_queues_share___json_nargs=0
_shtab_relet_queues_share___jsonl_nargs=0
_shtab_relet_queues_share___quiet_nargs=0
_shtab_relet_queues_share___no_color_nargs=0
_shtab_relet_queues_unshare__h_nargs=0
_shtab_relet_queues_unshare___help_nargs=0
_shtab_relet_queues_unshare___json_nargs=0
_shtab_relet_queues_unshare___jsonl_nargs=0
_shtab_relet_queues_unshare___quiet_nargs=0
_shtab_relet_queues_unshare___no_color_nargs=0
_shtab_relet_queues_pos_0_nargs=A...
_shtab_relet_queues__h_nargs=0
_shtab_relet_queues___help_nargs=0
_shtab_relet_routines_ls__h_nargs=0
_shtab_relet_routines_ls___help_nargs=0
_shtab_relet_routines_ls___json_nargs=0
_shtab_relet_routines_ls___jsonl_nargs=0
_shtab_relet_routines_ls___quiet_nargs=0
_shtab_relet_routines_ls___no_color_nargs=0
_shtab_relet_routines_show__h_nargs=0
_shtab_relet_routines_show___help_nargs=0
_shtab_relet_routines_show___json_nargs=0
_shtab_relet_routines_show___jsonl_nargs=0
_shtab_relet_routines_show___quiet_nargs=0
_shtab_relet_routines_show___no_color_nargs=0
_shtab_relet_routines_history__h_nargs=0
_shtab_relet_routines_history___help_nargs=0
_shtab_relet_routines_history___json_nargs=0
_shtab_relet_routines_history___jsonl_nargs=0
_shtab_relet_routines_history___quiet_nargs=0
_shtab_relet_routines_history___no_color_nargs=0
_shtab_relet_routines_trigger__h_nargs=0
_shtab_relet_routines_trigger___help_nargs=0
_shtab_relet_routines_trigger___force_nargs=0
_shtab_relet_routines_trigger___json_nargs=0
_shtab_relet_routines_trigger___jsonl_nargs=0
_shtab_relet_routines_trigger___quiet_nargs=0
_shtab_relet_routines_trigger___no_color_nargs=0
_shtab_relet_routines_backfill__h_nargs=0
_shtab_relet_routines_backfill___help_nargs=0
_shtab_relet_routines_backfill___dry_run_nargs=0
_shtab_relet_routines_backfill___yes_nargs=0
_shtab_relet_routines_backfill___no_input_nargs=0
_shtab_relet_routines_backfill___json_nargs=0
_shtab_relet_routines_backfill___jsonl_nargs=0
_shtab_relet_routines_backfill___quiet_nargs=0
_shtab_relet_routines_backfill___no_color_nargs=0
_shtab_relet_routines_enable_pos_0_nargs=+
_shtab_relet_routines_enable__h_nargs=0
_shtab_relet_routines_enable___help_nargs=0
_shtab_relet_routines_enable___json_nargs=0
_shtab_relet_routines_enable___jsonl_nargs=0
_shtab_relet_routines_enable___quiet_nargs=0
_shtab_relet_routines_enable___no_color_nargs=0
_shtab_relet_routines_disable_pos_0_nargs=+
_shtab_relet_routines_disable__h_nargs=0
_shtab_relet_routines_disable___help_nargs=0
_shtab_relet_routines_disable___json_nargs=0
_shtab_relet_routines_disable___jsonl_nargs=0
_shtab_relet_routines_disable___quiet_nargs=0
_shtab_relet_routines_disable___no_color_nargs=0
_shtab_relet_routines_pause_pos_0_nargs=+
_shtab_relet_routines_pause__h_nargs=0
_shtab_relet_routines_pause___help_nargs=0
_shtab_relet_routines_pause___json_nargs=0
_shtab_relet_routines_pause___jsonl_nargs=0
_shtab_relet_routines_pause___quiet_nargs=0
_shtab_relet_routines_pause___no_color_nargs=0
_shtab_relet_routines_resume_pos_0_nargs=+
_shtab_relet_routines_resume__h_nargs=0
_shtab_relet_routines_resume___help_nargs=0
_shtab_relet_routines_resume___json_nargs=0
_shtab_relet_routines_resume___jsonl_nargs=0
_shtab_relet_routines_resume___quiet_nargs=0
_shtab_relet_routines_resume___no_color_nargs=0
_shtab_relet_routines_delete_pos_0_nargs=+
_shtab_relet_routines_delete__h_nargs=0
_shtab_relet_routines_delete___help_nargs=0
_shtab_relet_routines_delete___dry_run_nargs=0
_shtab_relet_routines_delete___yes_nargs=0
_shtab_relet_routines_delete___no_input_nargs=0
_shtab_relet_routines_delete___json_nargs=0
_shtab_relet_routines_delete___jsonl_nargs=0
_shtab_relet_routines_delete___quiet_nargs=0
_shtab_relet_routines_delete___no_color_nargs=0
_shtab_relet_routines_pos_0_nargs=A...
_shtab_relet_routines__h_nargs=0
_shtab_relet_routines___help_nargs=0
_shtab_relet_schedules_upsert_pos_2_nargs='*'
_shtab_relet_schedules_upsert__h_nargs=0
_shtab_relet_schedules_upsert___help_nargs=0
_shtab_relet_schedules_upsert___disabled_nargs=0
_shtab_relet_schedules_upsert___by_name_nargs=0
_shtab_relet_schedules_upsert___json_nargs=0
_shtab_relet_schedules_upsert___jsonl_nargs=0
_shtab_relet_schedules_upsert___quiet_nargs=0
_shtab_relet_schedules_upsert___no_color_nargs=0
_shtab_relet_schedules_ls__h_nargs=0
_shtab_relet_schedules_ls___help_nargs=0
_shtab_relet_schedules_ls___json_nargs=0
_shtab_relet_schedules_ls___jsonl_nargs=0
_shtab_relet_schedules_ls___quiet_nargs=0
_shtab_relet_schedules_ls___no_color_nargs=0
_shtab_relet_schedules_show__h_nargs=0
_shtab_relet_schedules_show___help_nargs=0
_shtab_relet_schedules_show___json_nargs=0
_shtab_relet_schedules_show___jsonl_nargs=0
_shtab_relet_schedules_show___quiet_nargs=0
_shtab_relet_schedules_show___no_color_nargs=0
_shtab_relet_schedules_history__h_nargs=0
_shtab_relet_schedules_history___help_nargs=0
_shtab_relet_schedules_history___json_nargs=0
_shtab_relet_schedules_history___jsonl_nargs=0
_shtab_relet_schedules_history___quiet_nargs=0
_shtab_relet_schedules_history___no_color_nargs=0
_shtab_relet_schedules_trigger__h_nargs=0
_shtab_relet_schedules_trigger___help_nargs=0
_shtab_relet_schedules_trigger___force_nargs=0
_shtab_relet_schedules_trigger___json_nargs=0
_shtab_relet_schedules_trigger___jsonl_nargs=0
_shtab_relet_schedules_trigger___quiet_nargs=0
_shtab_relet_schedules_trigger___no_color_nargs=0
_shtab_relet_schedules_backfill__h_nargs=0
_shtab_relet_schedules_backfill___help_nargs=0
_shtab_relet_schedules_backfill___dry_run_nargs=0
_shtab_relet_schedules_backfill___yes_nargs=0
_shtab_relet_schedules_backfill___no_input_nargs=0
_shtab_relet_schedules_backfill___json_nargs=0
_shtab_relet_schedules_backfill___jsonl_nargs=0
_shtab_relet_schedules_backfill___quiet_nargs=0
_shtab_relet_schedules_backfill___no_color_nargs=0
_shtab_relet_schedules_enable_pos_0_nargs=+
_shtab_relet_schedules_enable__h_nargs=0
_shtab_relet_schedules_enable___help_nargs=0
_shtab_relet_schedules_enable___json_nargs=0
_shtab_relet_schedules_enable___jsonl_nargs=0
_shtab_relet_schedules_enable___quiet_nargs=0
_shtab_relet_schedules_enable___no_color_nargs=0
_shtab_relet_schedules_disable_pos_0_nargs=+
_shtab_relet_schedules_disable__h_nargs=0
_shtab_relet_schedules_disable___help_nargs=0
_shtab_relet_schedules_disable___json_nargs=0
_shtab_relet_schedules_disable___jsonl_nargs=0
_shtab_relet_schedules_disable___quiet_nargs=0
_shtab_relet_schedules_disable___no_color_nargs=0
_shtab_relet_schedules_pause_pos_0_nargs=+
_shtab_relet_schedules_pause__h_nargs=0
_shtab_relet_schedules_pause___help_nargs=0
_shtab_relet_schedules_pause___json_nargs=0
_shtab_relet_schedules_pause___jsonl_nargs=0
_shtab_relet_schedules_pause___quiet_nargs=0
_shtab_relet_schedules_pause___no_color_nargs=0
_shtab_relet_schedules_resume_pos_0_nargs=+
_shtab_relet_schedules_resume__h_nargs=0
_shtab_relet_schedules_resume___help_nargs=0
_shtab_relet_schedules_resume___json_nargs=0
_shtab_relet_schedules_resume___jsonl_nargs=0
_shtab_relet_schedules_resume___quiet_nargs=0
_shtab_relet_schedules_resume___no_color_nargs=0
_shtab_relet_schedules_delete_pos_0_nargs=+
_shtab_relet_schedules_delete__h_nargs=0
_shtab_relet_schedules_delete___help_nargs=0
_shtab_relet_schedules_delete___dry_run_nargs=0
_shtab_relet_schedules_delete___yes_nargs=0
_shtab_relet_schedules_delete___no_input_nargs=0
_shtab_relet_schedules_delete___json_nargs=0
_shtab_relet_schedules_delete___jsonl_nargs=0
_shtab_relet_schedules_delete___quiet_nargs=0
_shtab_relet_schedules_delete___no_color_nargs=0
_shtab_relet_schedules_pos_0_nargs=A...
_shtab_relet_schedules__h_nargs=0
_shtab_relet_schedules___help_nargs=0
_shtab_relet_limits_ls__h_nargs=0
_shtab_relet_limits_ls___help_nargs=0
_shtab_relet_limits_ls___json_nargs=0
_shtab_relet_limits_ls___jsonl_nargs=0
_shtab_relet_limits_ls___quiet_nargs=0
_shtab_relet_limits_ls___no_color_nargs=0
_shtab_relet_limits_show__h_nargs=0
_shtab_relet_limits_show___help_nargs=0
_shtab_relet_limits_show___json_nargs=0
_shtab_relet_limits_show___jsonl_nargs=0
_shtab_relet_limits_show___quiet_nargs=0
_shtab_relet_limits_show___no_color_nargs=0
_shtab_relet_limits_set_pos_0_nargs=+
_shtab_relet_limits_set__h_nargs=0
_shtab_relet_limits_set___help_nargs=0
_shtab_relet_limits_set___json_nargs=0
_shtab_relet_limits_set___jsonl_nargs=0
_shtab_relet_limits_set___quiet_nargs=0
_shtab_relet_limits_set___no_color_nargs=0
_shtab_relet_limits_pause_pos_0_nargs=+
_shtab_relet_limits_pause__h_nargs=0
_shtab_relet_limits_pause___help_nargs=0
_shtab_relet_limits_pause___json_nargs=0
_shtab_relet_limits_pause___jsonl_nargs=0
_shtab_relet_limits_pause___quiet_nargs=0
_shtab_relet_limits_pause___no_color_nargs=0
_shtab_relet_limits_resume_pos_0_nargs=+
_shtab_relet_limits_resume__h_nargs=0
_shtab_relet_limits_resume___help_nargs=0
_shtab_relet_limits_resume___json_nargs=0
_shtab_relet_limits_resume___jsonl_nargs=0
_shtab_relet_limits_resume___quiet_nargs=0
_shtab_relet_limits_resume___no_color_nargs=0
_shtab_relet_limits_forget_pos_0_nargs=+
_shtab_relet_limits_forget__h_nargs=0
_shtab_relet_limits_forget___help_nargs=0
_shtab_relet_limits_forget___json_nargs=0
_shtab_relet_limits_forget___jsonl_nargs=0
_shtab_relet_limits_forget___quiet_nargs=0
_shtab_relet_limits_forget___no_color_nargs=0
_shtab_relet_limits_pos_0_nargs=A...
_shtab_relet_limits__h_nargs=0
_shtab_relet_limits___help_nargs=0
_shtab_relet_breakers_ls__h_nargs=0
_shtab_relet_breakers_ls___help_nargs=0
_shtab_relet_breakers_ls___json_nargs=0
_shtab_relet_breakers_ls___jsonl_nargs=0
_shtab_relet_breakers_ls___quiet_nargs=0
_shtab_relet_breakers_ls___no_color_nargs=0
_shtab_relet_breakers_show__h_nargs=0
_shtab_relet_breakers_show___help_nargs=0
_shtab_relet_breakers_show___json_nargs=0
_shtab_relet_breakers_show___jsonl_nargs=0
_shtab_relet_breakers_show___quiet_nargs=0
_shtab_relet_breakers_show___no_color_nargs=0
_shtab_relet_breakers_open_pos_0_nargs=+
_shtab_relet_breakers_open__h_nargs=0
_shtab_relet_breakers_open___help_nargs=0
_shtab_relet_breakers_open___json_nargs=0
_shtab_relet_breakers_open___jsonl_nargs=0
_shtab_relet_breakers_open___quiet_nargs=0
_shtab_relet_breakers_open___no_color_nargs=0
_shtab_relet_breakers_close_pos_0_nargs=+
_shtab_relet_breakers_close__h_nargs=0
_shtab_relet_breakers_close___help_nargs=0
_shtab_relet_breakers_close___json_nargs=0
_shtab_relet_breakers_close___jsonl_nargs=0
_shtab_relet_breakers_close___quiet_nargs=0
_shtab_relet_breakers_close___no_color_nargs=0
_shtab_relet_breakers_reset_pos_0_nargs=+
_shtab_relet_breakers_reset__h_nargs=0
_shtab_relet_breakers_reset___help_nargs=0
_shtab_relet_breakers_reset___json_nargs=0
_shtab_relet_breakers_reset___jsonl_nargs=0
_shtab_relet_breakers_reset___quiet_nargs=0
_shtab_relet_breakers_reset___no_color_nargs=0
_shtab_relet_breakers_pos_0_nargs=A...
_shtab_relet_breakers__h_nargs=0
_shtab_relet_breakers___help_nargs=0
_shtab_relet_webhooks_show__h_nargs=0
_shtab_relet_webhooks_show___help_nargs=0
_shtab_relet_webhooks_show___json_nargs=0
_shtab_relet_webhooks_show___jsonl_nargs=0
_shtab_relet_webhooks_show___quiet_nargs=0
_shtab_relet_webhooks_show___no_color_nargs=0
_shtab_relet_webhooks_test__h_nargs=0
_shtab_relet_webhooks_test___help_nargs=0
_shtab_relet_webhooks_test___json_nargs=0
_shtab_relet_webhooks_test___jsonl_nargs=0
_shtab_relet_webhooks_test___quiet_nargs=0
_shtab_relet_webhooks_test___no_color_nargs=0
_shtab_relet_webhooks_enable__h_nargs=0
_shtab_relet_webhooks_enable___help_nargs=0
_shtab_relet_webhooks_enable___json_nargs=0
_shtab_relet_webhooks_enable___jsonl_nargs=0
_shtab_relet_webhooks_enable___quiet_nargs=0
_shtab_relet_webhooks_enable___no_color_nargs=0
_shtab_relet_webhooks_disable__h_nargs=0
_shtab_relet_webhooks_disable___help_nargs=0
_shtab_relet_webhooks_disable___json_nargs=0
_shtab_relet_webhooks_disable___jsonl_nargs=0
_shtab_relet_webhooks_disable___quiet_nargs=0
_shtab_relet_webhooks_disable___no_color_nargs=0
_shtab_relet_webhooks_rotate__h_nargs=0
_shtab_relet_webhooks_rotate___help_nargs=0
_shtab_relet_webhooks_rotate___json_nargs=0
_shtab_relet_webhooks_rotate___jsonl_nargs=0
_shtab_relet_webhooks_rotate___quiet_nargs=0
_shtab_relet_webhooks_rotate___no_color_nargs=0
_shtab_relet_webhooks_rm__h_nargs=0
_shtab_relet_webhooks_rm___help_nargs=0
_shtab_relet_webhooks_rm___json_nargs=0
_shtab_relet_webhooks_rm___jsonl_nargs=0
_shtab_relet_webhooks_rm___quiet_nargs=0
_shtab_relet_webhooks_rm___no_color_nargs=0
_shtab_relet_webhooks_ls__h_nargs=0
_shtab_relet_webhooks_ls___help_nargs=0
_shtab_relet_webhooks_ls___json_nargs=0
_shtab_relet_webhooks_ls___jsonl_nargs=0
_shtab_relet_webhooks_ls___quiet_nargs=0
_shtab_relet_webhooks_ls___no_color_nargs=0
_shtab_relet_webhooks_add__h_nargs=0
_shtab_relet_webhooks_add___help_nargs=0
_shtab_relet_webhooks_add___json_nargs=0
_shtab_relet_webhooks_add___jsonl_nargs=0
_shtab_relet_webhooks_add___quiet_nargs=0
_shtab_relet_webhooks_add___no_color_nargs=0
_shtab_relet_webhooks_deliveries__h_nargs=0
_shtab_relet_webhooks_deliveries___help_nargs=0
_shtab_relet_webhooks_deliveries___json_nargs=0
_shtab_relet_webhooks_deliveries___jsonl_nargs=0
_shtab_relet_webhooks_deliveries___quiet_nargs=0
_shtab_relet_webhooks_deliveries___no_color_nargs=0
_shtab_relet_webhooks_redeliver_pos_0_nargs=+
_shtab_relet_webhooks_redeliver__h_nargs=0
_shtab_relet_webhooks_redeliver___help_nargs=0
_shtab_relet_webhooks_redeliver___json_nargs=0
_shtab_relet_webhooks_redeliver___jsonl_nargs=0
_shtab_relet_webhooks_redeliver___quiet_nargs=0
_shtab_relet_webhooks_redeliver___no_color_nargs=0
_shtab_relet_webhooks_pos_0_nargs=A...
_shtab_relet_webhooks__h_nargs=0
_shtab_relet_webhooks___help_nargs=0
_shtab_relet_costs__h_nargs=0
_shtab_relet_costs___help_nargs=0
_shtab_relet_costs___json_nargs=0
_shtab_relet_costs___jsonl_nargs=0
_shtab_relet_costs___quiet_nargs=0
_shtab_relet_costs___no_color_nargs=0
_shtab_relet_budgets_ls__h_nargs=0
_shtab_relet_budgets_ls___help_nargs=0
_shtab_relet_budgets_ls___json_nargs=0
_shtab_relet_budgets_ls___jsonl_nargs=0
_shtab_relet_budgets_ls___quiet_nargs=0
_shtab_relet_budgets_ls___no_color_nargs=0
_shtab_relet_budgets_show__h_nargs=0
_shtab_relet_budgets_show___help_nargs=0
_shtab_relet_budgets_show___json_nargs=0
_shtab_relet_budgets_show___jsonl_nargs=0
_shtab_relet_budgets_show___quiet_nargs=0
_shtab_relet_budgets_show___no_color_nargs=0
_shtab_relet_budgets_set__h_nargs=0
_shtab_relet_budgets_set___help_nargs=0
_shtab_relet_budgets_set___json_nargs=0
_shtab_relet_budgets_set___jsonl_nargs=0
_shtab_relet_budgets_set___quiet_nargs=0
_shtab_relet_budgets_set___no_color_nargs=0
_shtab_relet_budgets_lift__h_nargs=0
_shtab_relet_budgets_lift___help_nargs=0
_shtab_relet_budgets_lift___json_nargs=0
_shtab_relet_budgets_lift___jsonl_nargs=0
_shtab_relet_budgets_lift___quiet_nargs=0
_shtab_relet_budgets_lift___no_color_nargs=0
_shtab_relet_budgets_forget__h_nargs=0
_shtab_relet_budgets_forget___help_nargs=0
_shtab_relet_budgets_forget___json_nargs=0
_shtab_relet_budgets_forget___jsonl_nargs=0
_shtab_relet_budgets_forget___quiet_nargs=0
_shtab_relet_budgets_forget___no_color_nargs=0
_shtab_relet_budgets_pos_0_nargs=A...
_shtab_relet_budgets__h_nargs=0
_shtab_relet_budgets___help_nargs=0
_shtab_relet_workers_ls__h_nargs=0
_shtab_relet_workers_ls___help_nargs=0
_shtab_relet_workers_ls___json_nargs=0
_shtab_relet_workers_ls___jsonl_nargs=0
_shtab_relet_workers_ls___quiet_nargs=0
_shtab_relet_workers_ls___no_color_nargs=0
_shtab_relet_workers_drain_pos_0_nargs='*'
_shtab_relet_workers_drain__h_nargs=0
_shtab_relet_workers_drain___help_nargs=0
_shtab_relet_workers_drain___all_nargs=0
_shtab_relet_workers_drain___json_nargs=0
_shtab_relet_workers_drain___jsonl_nargs=0
_shtab_relet_workers_drain___quiet_nargs=0
_shtab_relet_workers_drain___no_color_nargs=0
_shtab_relet_workers_stop_pos_0_nargs='*'
_shtab_relet_workers_stop__h_nargs=0
_shtab_relet_workers_stop___help_nargs=0
_shtab_relet_workers_stop___all_nargs=0
_shtab_relet_workers_stop___json_nargs=0
_shtab_relet_workers_stop___jsonl_nargs=0
_shtab_relet_workers_stop___quiet_nargs=0
_shtab_relet_workers_stop___no_color_nargs=0
_shtab_relet_workers_pos_0_nargs=A...
_shtab_relet_workers__h_nargs=0
_shtab_relet_workers___help_nargs=0
_shtab_relet_leases__h_nargs=0
_shtab_relet_leases___help_nargs=0
_shtab_relet_leases___expired_nargs=0
_shtab_relet_leases___json_nargs=0
_shtab_relet_leases___jsonl_nargs=0
_shtab_relet_leases___quiet_nargs=0
_shtab_relet_leases___no_color_nargs=0
_shtab_relet_recover__h_nargs=0
_shtab_relet_recover___help_nargs=0
_shtab_relet_recover___dry_run_nargs=0
_shtab_relet_recover___json_nargs=0
_shtab_relet_recover___jsonl_nargs=0
_shtab_relet_recover___quiet_nargs=0
_shtab_relet_recover___no_color_nargs=0
_shtab_relet_tokens_ls__h_nargs=0
_shtab_relet_tokens_ls___help_nargs=0
_shtab_relet_tokens_ls___json_nargs=0
_shtab_relet_tokens_ls___jsonl_nargs=0
_shtab_relet_tokens_ls___quiet_nargs=0
_shtab_relet_tokens_ls___no_color_nargs=0
_shtab_relet_tokens_add__h_nargs=0
_shtab_relet_tokens_add___help_nargs=0
_shtab_relet_tokens_add___json_nargs=0
_shtab_relet_tokens_add___jsonl_nargs=0
_shtab_relet_tokens_add___quiet_nargs=0
_shtab_relet_tokens_add___no_color_nargs=0
_shtab_relet_tokens_revoke_pos_0_nargs=+
_shtab_relet_tokens_revoke__h_nargs=0
_shtab_relet_tokens_revoke___help_nargs=0
_shtab_relet_tokens_revoke___json_nargs=0
_shtab_relet_tokens_revoke___jsonl_nargs=0
_shtab_relet_tokens_revoke___quiet_nargs=0
_shtab_relet_tokens_revoke___no_color_nargs=0
_shtab_relet_tokens_pos_0_nargs=A...
_shtab_relet_tokens__h_nargs=0
_shtab_relet_tokens___help_nargs=0
_shtab_relet_migrate_status__h_nargs=0
_shtab_relet_migrate_status___help_nargs=0
_shtab_relet_migrate_status___json_nargs=0
_shtab_relet_migrate_status___jsonl_nargs=0
_shtab_relet_migrate_status___quiet_nargs=0
_shtab_relet_migrate_status___no_color_nargs=0
_shtab_relet_migrate_plan__h_nargs=0
_shtab_relet_migrate_plan___help_nargs=0
_shtab_relet_migrate_plan___json_nargs=0
_shtab_relet_migrate_plan___jsonl_nargs=0
_shtab_relet_migrate_plan___quiet_nargs=0
_shtab_relet_migrate_plan___no_color_nargs=0
_shtab_relet_migrate_apply__h_nargs=0
_shtab_relet_migrate_apply___help_nargs=0
_shtab_relet_migrate_apply___json_nargs=0
_shtab_relet_migrate_apply___jsonl_nargs=0
_shtab_relet_migrate_apply___quiet_nargs=0
_shtab_relet_migrate_apply___no_color_nargs=0
_shtab_relet_migrate_pos_0_nargs=A...
_shtab_relet_migrate__h_nargs=0
_shtab_relet_migrate___help_nargs=0
_shtab_relet_migrate___json_nargs=0
_shtab_relet_migrate___jsonl_nargs=0
_shtab_relet_migrate___quiet_nargs=0
_shtab_relet_migrate___no_color_nargs=0
_shtab_relet_doctor__h_nargs=0
_shtab_relet_doctor___help_nargs=0
_shtab_relet_doctor___strict_nargs=0
_shtab_relet_doctor___json_nargs=0
_shtab_relet_doctor___jsonl_nargs=0
_shtab_relet_doctor___quiet_nargs=0
_shtab_relet_doctor___no_color_nargs=0
_shtab_relet_completion__h_nargs=0
_shtab_relet_completion___help_nargs=0
_shtab_relet_completion___quiet_nargs=0
_shtab_relet_completion___no_color_nargs=0
_shtab_relet_version__h_nargs=0
_shtab_relet_version___help_nargs=0
_shtab_relet_version___json_nargs=0
_shtab_relet_version___jsonl_nargs=0
_shtab_relet_version___quiet_nargs=0
_shtab_relet_version___no_color_nargs=0
_shtab_relet_pos_0_nargs=A...
_shtab_relet__h_nargs=0
_shtab_relet___help_nargs=0
_shtab_relet___version_nargs=0


# $1=COMP_WORDS[1]
_shtab_compgen_files() {
  compgen -f -- $1  # files
}

# $1=COMP_WORDS[1]
_shtab_compgen_dirs() {
  compgen -d -- $1  # recurse into subdirs
}

# $1=COMP_WORDS[1]
_shtab_replace_nonword() {
  echo "${1//[^[:word:]]/_}"
}

# set default values (called for the initial parser & any subparsers)
_set_parser_defaults() {
  local subparsers_var="${prefix}_subparsers[@]"
  sub_parsers=${!subparsers_var-}

  local current_option_strings_var="${prefix}_option_strings[@]"
  current_option_strings=${!current_option_strings_var}

  completed_positional_actions=0

  _set_new_action "pos_$completed_positional_actions" true
}

# $1=action identifier
# $2=positional action (bool)
# set all identifiers for an action's parameters
_set_new_action() {
  current_action="${prefix}_$(_shtab_replace_nonword $1)"

  local current_action_compgen_var=${current_action}_COMPGEN
  current_action_compgen="${!current_action_compgen_var-}"

  local current_action_choices_var="${current_action}_choices[@]"
  current_action_choices="${!current_action_choices_var-}"

  local current_action_nargs_var="${current_action}_nargs"
  if [ -n "${!current_action_nargs_var-}" ]; then
    current_action_nargs="${!current_action_nargs_var}"
  else
    current_action_nargs=1
  fi

  current_action_args_start_index=$(( $word_index + 1 - $pos_only ))

  current_action_is_positional=$2
}

# Notes:
# `COMPREPLY`: what will be rendered after completion is triggered
# `completing_word`: currently typed word to generate completions for
# `${!var}`: evaluates the content of `var` and expand its content as a variable
#     hello="world"
#     x="hello"
#     ${!x} -> ${hello} -> "world"
_shtab_relet() {
  local completing_word="${COMP_WORDS[COMP_CWORD]}"
  local previous_word="${COMP_WORDS[COMP_CWORD-1]}"
  local completed_positional_actions
  local current_action
  local current_action_args_start_index
  local current_action_choices
  local current_action_compgen
  local current_action_is_positional
  local current_action_nargs
  local current_option_strings
  local sub_parsers
  COMPREPLY=()

  local prefix=_shtab_relet
  local word_index=0
  local pos_only=0 # "--" delimiter not encountered yet
  _set_parser_defaults
  word_index=1

  # determine what arguments are appropriate for the current state
  # of the arg parser
  while [ $word_index -ne $COMP_CWORD ]; do
    local this_word="${COMP_WORDS[$word_index]}"

    if [[ $pos_only = 1 || " $this_word " != " -- " ]]; then
      if [[ -n $sub_parsers && " ${sub_parsers[@]} " == *" $this_word "* ]]; then
        # valid subcommand: add it to the prefix & reset the current action
        prefix="${prefix}_$(_shtab_replace_nonword $this_word)"
        _set_parser_defaults
      fi

      if [[ " ${current_option_strings[@]} " == *" $this_word "* ]]; then
        # a new action should be acquired (due to recognised option string or
        # no more input expected from current action);
        # the next positional action can fill in here
        _set_new_action $this_word false
      fi

      if [[ "$current_action_nargs" != "*" ]] && \
         [[ "$current_action_nargs" != "+" ]] && \
         [[ "$current_action_nargs" != "?" ]] && \
         [[ "$current_action_nargs" != *"..." ]] && \
         (( $word_index + 1 - $current_action_args_start_index - $pos_only >= \
            $current_action_nargs )); then
        $current_action_is_positional && let "completed_positional_actions += 1"
        _set_new_action "pos_$completed_positional_actions" true
      fi
    else
      pos_only=1 # "--" delimiter encountered
    fi

    let "word_index+=1"
  done

  # Generate the completions

  COMPREPLY=()
  if [[ $pos_only = 0 && "$completing_word" == -* &&
        ( -z "$current_action_compgen" || "$current_action_is_positional" = true ) ]]; then
    # optional argument started: use option strings
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_option_strings[*]}" -- "$completing_word")
  elif [[ "$previous_word" =~ ^[0-9\&]*[\<\>]\>?$ ]]; then
    # handle redirection operators
    compopt -o filenames 2>/dev/null || : # bash>=4
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$completing_word")
  else
    # use choices & compgen
    local action_compgen_word="$completing_word"
    # handle tab-completing in the middle of a line (#248 <- #116)
    [[ -n "$current_action_compgen" && "$completing_word" == -* ]] && action_compgen_word=""
    [ -n "$current_action_compgen" ] && {
      [[ "$current_action_compgen" =~ _(file|dir|glob|FILE|DIR|GLOB)|File|Dir|Glob ]] &&
        compopt -o filenames 2>/dev/null || : # bash>=4
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        "$current_action_compgen" "$action_compgen_word")
    }
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
      compgen -W "${current_action_choices[*]}" -- "$completing_word")
  fi

  if [[ ${#COMPREPLY[@]} = 0 ]]; then
    # native fallback matches are not necessarily filenames (e.g. variables)
    compopt +o filenames 2>/dev/null || : # bash>=4
  fi

  return 0
}

complete -o bashdefault -F _shtab_relet relet