#compdef relet
# Completes relet's commands and flags in zsh. For good: relet completion zsh > ~/.zfunc/_relet, with ~/.zfunc in fpath before compinit.

_shtab_relet_commands() {
  local _commands=(
    batches:'List batches, and show how far one is.'
    breakers:'List circuit breakers, and open, close and reset them.'
    budgets:'List, set, lift and forget what may be spent in a day.'
    completion:'Print the completion script of a shell.'
    costs:'What jobs have consumed, by task, model, tenant and day.'
    dead:'List, show, retry, resolve and remove dead letters.'
    demo:'Kill a worker while it works, and prove that nothing was lost.'
    doctor:'Check the store, the host and the jobs, and say what to do.'
    enqueue:'Enqueue one job.'
    health:'Which queues and workers are healthy, and why not; exit status 6 if not all are.'
    init:'Write a starter app and relet.toml here; overwrites nothing.'
    jobs:'List, show, explain, cancel, retry and remove jobs.'
    leases:'List the jobs that are held now, with their leases.'
    limits:'List, set, pause and resume limits that jobs share by name and key.'
    migrate:'Bring the store'"'"'s schema to this version.'
    queues:'List, pause, resume, drain and purge queues.'
    recover:'Give back the jobs of workers whose lease has lapsed.'
    routines:'List routines, and trigger, enable, disable, pause, resume and backfill them.'
    run:'Run a task now, in this process; or work off what is ready, once.'
    schedules:'Add, change, list and delete schedules at run time, and steer them.'
    status:'How it stands: jobs, queues, workers, and what needs a person.'
    tokens:'List, make and revoke tokens of the HTTP API.'
    top:'Watch it live.'
    version:'Print the version.'
    web:'Serve the HTTP API and the dashboard.'
    webhooks:'Tell others of what happens: add, test, rotate and disable webhooks, send again.'
    why:'Why a routine, a schedule or a job does not run, or when it will.'
    worker:'Run jobs.'
    workers:'List, drain and stop workers.'
  )
  _describe 'relet commands' _commands
}

_shtab_relet_batches_commands() {
  local _commands=(
    ls:'List batches with their counts, newest first.'
    show:'How far a batch is, what comes after it, and its jobs.'
  )
  _describe 'relet batches commands' _commands
}

_shtab_relet_breakers_commands() {
  local _commands=(
    close:'Let everything pass again.'
    ls:'List circuit breakers, and how they stand.'
    open:'Let nothing pass until they are closed.'
    reset:'Close them, and forget how often they have opened.'
    show:'One breaker.'
  )
  _describe 'relet breakers commands' _commands
}

_shtab_relet_budgets_commands() {
  local _commands=(
    forget:'End a budget, until a worker starts whose code declares it.'
    lift:'Open what a budget has closed, until its window ends.'
    ls:'List budgets, and what is spent of them.'
    set:'Change a budget, or make one; what is not given stays as it is.'
    show:'One budget, with its tenants.'
  )
  _describe 'relet budgets commands' _commands
}

_shtab_relet_dead_commands() {
  local _commands=(
    ls:'List dead letters, newest first.'
    resolve:'Mark as resolved, with who and when.'
    retry:'Run them again, with fresh counters.'
    rm:'Remove them and their jobs, for good.'
    show:'One dead letter with its stack.'
    stats:'How many there are in each queue.'
  )
  _describe 'relet dead commands' _commands
}

_shtab_relet_jobs_commands() {
  local _commands=(
    cancel:'Cancel jobs that wait, and ask running ones to end.'
    ls:'List jobs, newest first.'
    retry:'Run dead jobs again, with fresh counters.'
    rm:'Remove ended jobs with their history, for good.'
    show:'Everything about one job: facts, history, log lines, usage.'
    why:'Why a job is not running, or what became of it.'
  )
  _describe 'relet jobs commands' _commands
}

_shtab_relet_limits_commands() {
  local _commands=(
    forget:'End limits, until a worker starts whose code declares it.'
    ls:'List limits, and what is used of them.'
    pause:'Let no further job in; what has passed goes on.'
    resume:'End a pause.'
    set:'Hold each key to so many jobs at once, and so many starts in a time.'
    show:'One limit, with its keys.'
  )
  _describe 'relet limits commands' _commands
}

_shtab_relet_migrate_commands() {
  local _commands=(
    apply:'Run the missing steps; the same as no command.'
    plan:'The steps that are missing, with their SQL.'
    status:'The version of the schema, and whether this program may write to it.'
  )
  _describe 'relet migrate commands' _commands
}

_shtab_relet_queues_commands() {
  local _commands=(
    drain:'Refuse new jobs, work off those that are there.'
    limit:'Hold queues to so many jobs at once, and so many starts in a time.'
    ls:'List queues with their counts.'
    pause:'No new runs from these queues; what runs goes on.'
    purge:'Cancel all jobs that wait in these queues; running ones go on.'
    resume:'End a pause, and take new jobs again after a drain.'
    share:'Let a tenant start so many jobs of a queue while others start one.'
    shares:'List the tenants of a queue with their weights and ready jobs.'
    unlimit:'End the limits of queues.'
    unshare:'Forget the weight of a tenant: it is 1, or what code declares.'
  )
  _describe 'relet queues commands' _commands
}

_shtab_relet_routines_commands() {
  local _commands=(
    backfill:'Make runs for due times in the past that have none.'
    delete:'Remove routines; their jobs stay.'
    disable:'No runs of these routines, not even triggered ones.'
    enable:'Let disabled routines run again, with no failures counted.'
    history:'What became of the due times of a routine, the newest first.'
    ls:'List routines, and how they are doing.'
    pause:'No runs by time; they may still be triggered.'
    resume:'End a pause.'
    show:'One routine, with its last due times.'
    trigger:'Run a routine now.'
  )
  _describe 'relet routines commands' _commands
}

_shtab_relet_schedules_commands() {
  local _commands=(
    backfill:'Make runs for due times in the past that have none.'
    delete:'Remove schedules; their jobs stay.'
    disable:'No runs of these schedules, not even triggered ones.'
    enable:'Let disabled schedules run again, with no failures counted.'
    history:'What became of the due times of a schedule, the newest first.'
    ls:'List schedules, and how they are doing.'
    pause:'No runs by time; they may still be triggered.'
    resume:'End a pause.'
    show:'One schedule, with its last due times.'
    trigger:'Run a schedule now.'
    upsert:'Add a schedule, or change it: all of its rule and call.'
  )
  _describe 'relet schedules commands' _commands
}

_shtab_relet_tokens_commands() {
  local _commands=(
    add:'Make a token, and print it, this once.'
    ls:'List tokens.'
    revoke:'End tokens, and the sign-ins that came from them.'
  )
  _describe 'relet tokens commands' _commands
}

_shtab_relet_webhooks_commands() {
  local _commands=(
    add:'Tell an address of what happens, or change what it hears of.'
    deliveries:'What was sent, or one message with its attempts.'
    disable:'Let it hear of nothing; what was not sent is dropped.'
    enable:'Let it hear of what happens from now on.'
    ls:'List webhooks.'
    redeliver:'Send messages once more, as they are.'
    rm:'Remove it; what was not sent is dropped.'
    rotate:'Sign by another secret, which is shown once.'
    show:'One webhook.'
    test:'Send it a message of the event webhook.test.'
  )
  _describe 'relet webhooks commands' _commands
}

_shtab_relet_workers_commands() {
  local _commands=(
    drain:'Ask workers to finish what they run, and end.'
    ls:'List workers with their leases.'
    stop:'Ask workers to give back what they run, and end.'
  )
  _describe 'relet workers commands' _commands
}

_shtab_relet_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--version[print the version]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_defaults_added=0

_shtab_relet_batches_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_batches_defaults_added=0

_shtab_relet_batches_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--label[only batches with this label]:label:"
  "--open[only batches that have not ended]"
  "--limit[at most N batches (50)]:N:"
  "--before[only batches older than this one\: the next page]:ID:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_batches_ls_defaults_added=0

_shtab_relet_batches_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--state[list its jobs of which this became (dead)]:state:(open succeeded dead cancelled)"
  "--jobs[at most N of them (50)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":batch id, or its first digits:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_batches_show_defaults_added=0

_shtab_relet_breakers_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_defaults_added=0

_shtab_relet_breakers_close_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a breaker:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_close_defaults_added=0

_shtab_relet_breakers_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_ls_defaults_added=0

_shtab_relet_breakers_open_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--for[so long only\; then probes may try]:DURATION:"
  "--reason[said to whoever asks why a job does not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a breaker:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_open_defaults_added=0

_shtab_relet_breakers_reset_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a breaker:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_reset_defaults_added=0

_shtab_relet_breakers_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a breaker\: stripe, task\:shop.charge, queue\:billing:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_breakers_show_defaults_added=0

_shtab_relet_budgets_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_defaults_added=0

_shtab_relet_budgets_forget_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a budget:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_forget_defaults_added=0

_shtab_relet_budgets_lift_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--key[the tenant, where each has an amount of its own]:KEY:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a budget:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_lift_defaults_added=0

_shtab_relet_budgets_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_ls_defaults_added=0

_shtab_relet_budgets_set_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--queue[count only what is of this queue]:NAME:"
  "--task[count only what is of this task]:NAME:"
  "--model[count only what is of this model]:NAME:"
  "--tenant[count only what is of this tenant]:NAME:"
  "--per[each tenant has an amount of its own]:per:(tenant )"
  "*--closes[a queue to close\; by default that of --queue]:QUEUE:"
  "--limit[pause the key of this limit\: the tenant, or the one of all]:NAME:"
  "--warn[warn when so much of it is spent (0.8)]:SHARE:"
  "--on-exceeded[pause queues, or refuse new jobs in them]:on_exceeded:(pause reject)"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a budget:"
  ":\"20 USD\/day\"\: an amount for an hour, day, week or month, in UTC:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_set_defaults_added=0

_shtab_relet_budgets_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--after[the page behind this key]:KEY:"
  "--keys[at most N keys (20)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a budget:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_budgets_show_defaults_added=0

_shtab_relet_completion_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":which shell:(bash zsh)"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_completion_defaults_added=0

_shtab_relet_costs_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--by[what sums are of\: task, queue, model, tenant, kind, day, hour\; \"\" for totals (task)]:NAMES:"
  "--since[\"30d\" ago (the default), or an ISO 8601 time]:WHEN:"
  "--until[the same\; by default, now]:WHEN:"
  "--task[only of this task]:NAME:"
  "--queue[only of this queue]:NAME:"
  "--model[only of this model]:NAME:"
  "--tenant[only of this tenant]:NAME:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_costs_defaults_added=0

_shtab_relet_dead_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_defaults_added=0

_shtab_relet_dead_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--task[only of this task, by its whole name]:task:"
  "--queue[only of this queue]:queue:"
  "--reason[only with this reason\: attempts, permanent, rejected, poison, deadline]:reason:"
  "--error[only with this text in the error, in any case]:TEXT:"
  "--since[failed since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[failed before that]:WHEN:"
  "--resolved[only resolved ones]"
  "--all[open and resolved ones]"
  "--limit[how many (50)]:limit:"
  "--before[only letters of jobs older than this one\: the next page]:ID:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_ls_defaults_added=0

_shtab_relet_dead_resolve_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--task[only of this task, by its whole name]:task:"
  "--queue[only of this queue]:queue:"
  "--reason[only with this reason\: attempts, permanent, rejected, poison, deadline]:reason:"
  "--error[only with this text in the error, in any case]:TEXT:"
  "--since[failed since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[failed before that]:WHEN:"
  "--all[all of them]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "--notes[what was done about it]:notes:"
  "--reopen[the other way\: mark as not resolved]"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_resolve_defaults_added=0

_shtab_relet_dead_retry_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--task[only of this task, by its whole name]:task:"
  "--queue[only of this queue]:queue:"
  "--reason[only with this reason\: attempts, permanent, rejected, poison, deadline]:reason:"
  "--error[only with this text in the error, in any case]:TEXT:"
  "--since[failed since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[failed before that]:WHEN:"
  "--all[all of them]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "--args[for one id\: run it with these arguments instead]:JSON:"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_retry_defaults_added=0

_shtab_relet_dead_rm_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--task[only of this task, by its whole name]:task:"
  "--queue[only of this queue]:queue:"
  "--reason[only with this reason\: attempts, permanent, rejected, poison, deadline]:reason:"
  "--error[only with this text in the error, in any case]:TEXT:"
  "--since[failed since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[failed before that]:WHEN:"
  "--all[all of them]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "--resolved[with a filter\: only resolved ones]"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_rm_defaults_added=0

_shtab_relet_dead_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":job id, or its first digits:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_show_defaults_added=0

_shtab_relet_dead_stats_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_dead_stats_defaults_added=0

_shtab_relet_demo_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[run it on this store, such as an empty PostgreSQL database]:URL:"
  "--chaos[go on killing and pausing workers for so long, such as 60s]:TIME:"
  "--keep[keep the store, the ledger and the workers\' logs there]:DIR:"
  "--json[JSON events]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_demo_defaults_added=0

_shtab_relet_doctor_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--strict[warnings make the exit status 6 too]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_doctor_defaults_added=0

_shtab_relet_enqueue_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--delay[run it after this time, such as \"5m\"]:DURATION:"
  "--at[run it at this time (ISO 8601)]:TIME:"
  "--priority[low, normal, high, critical or a number\; higher goes first]:priority:"
  "--queue[instead of the task\'s own queue]:queue:"
  "--unique[at most one live job with this key\; \{name\} stands for an argument]:KEY:"
  "--on-conflict[when the key is taken (existing)]:on_conflict:(existing raise replace)"
  "--by-name[the task\'s code is elsewhere\: check only that its name is whole]"
  "--wait[wait for the end, and print the result]"
  "--timeout[with --wait\: no longer than this (exit status 124)]:DURATION:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of the task\; its last part is enough:"
  "(*)::arguments of the task\; see below:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_enqueue_defaults_added=0

_shtab_relet_health_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_health_defaults_added=0

_shtab_relet_init_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":where to write them (here):"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_init_defaults_added=0

_shtab_relet_jobs_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_defaults_added=0

_shtab_relet_jobs_cancel_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--state[only jobs in this state]:state:(waiting scheduled ready running succeeded cancelled dead)"
  "--task[only jobs of this task, by its whole name]:task:"
  "--queue[only jobs of this queue]:queue:"
  "--worker[only jobs that this worker runs or ended]:NAME:"
  "--since[enqueued since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[enqueued before that]:WHEN:"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "--reason[said to the job and kept in its history]:reason:"
  "--grace[how long a running job may take to end (the setting cancel_grace\: 20s)]:grace:"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_cancel_defaults_added=0

_shtab_relet_jobs_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--state[only jobs in this state]:state:(waiting scheduled ready running succeeded cancelled dead)"
  "--task[only jobs of this task, by its whole name]:task:"
  "--queue[only jobs of this queue]:queue:"
  "--worker[only jobs that this worker runs or ended]:NAME:"
  "--since[enqueued since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[enqueued before that]:WHEN:"
  "--stuck[only jobs that have run for longer than FOR (10m), or whose worker is gone]:FOR:"
  "--limit[how many (50)]:limit:"
  "--before[only jobs older than this one\: the next page]:ID:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_ls_defaults_added=0

_shtab_relet_jobs_retry_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--state[only jobs in this state]:state:(waiting scheduled ready running succeeded cancelled dead)"
  "--task[only jobs of this task, by its whole name]:task:"
  "--queue[only jobs of this queue]:queue:"
  "--worker[only jobs that this worker runs or ended]:NAME:"
  "--since[enqueued since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[enqueued before that]:WHEN:"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_retry_defaults_added=0

_shtab_relet_jobs_rm_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--state[only jobs in this state]:state:(waiting scheduled ready running succeeded cancelled dead)"
  "--task[only jobs of this task, by its whole name]:task:"
  "--queue[only jobs of this queue]:queue:"
  "--worker[only jobs that this worker runs or ended]:NAME:"
  "--since[enqueued since\: \"2h\" ago, or an ISO 8601 time]:WHEN:"
  "--until[enqueued before that]:WHEN:"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*)::job ids, or their first digits\; or give a filter\::"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_rm_defaults_added=0

_shtab_relet_jobs_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--logs[at most N log lines (200)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":job id, or its first digits:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_show_defaults_added=0

_shtab_relet_jobs_why_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":job id, or its first digits:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_jobs_why_defaults_added=0

_shtab_relet_leases_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[how many (200, at most 1000)]:limit:"
  "--expired[only those whose lease has lapsed]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_leases_defaults_added=0

_shtab_relet_limits_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_defaults_added=0

_shtab_relet_limits_forget_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a limit:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_forget_defaults_added=0

_shtab_relet_limits_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_ls_defaults_added=0

_shtab_relet_limits_pause_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--for[resume by itself after this time]:DURATION:"
  "--key[only this key of them]:KEY:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a limit:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_pause_defaults_added=0

_shtab_relet_limits_resume_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--key[only this key of them]:KEY:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a limit:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_resume_defaults_added=0

_shtab_relet_limits_set_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--concurrency[jobs at once, ready or running\; \"none\" takes it away]:N:"
  "--rate[units that start in a time\: \"50\/min\", \"10\/s\;20000\/day\"\; or \"none\"]:RATE:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a limit:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_set_defaults_added=0

_shtab_relet_limits_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--after[the page behind this key]:KEY:"
  "--limit[at most N keys (20)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a limit:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_limits_show_defaults_added=0

_shtab_relet_migrate_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_migrate_defaults_added=0

_shtab_relet_migrate_apply_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_migrate_apply_defaults_added=0

_shtab_relet_migrate_plan_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_migrate_plan_defaults_added=0

_shtab_relet_migrate_status_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_migrate_status_defaults_added=0

_shtab_relet_queues_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_defaults_added=0

_shtab_relet_queues_drain_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[said to whoever asks why jobs do not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_drain_defaults_added=0

_shtab_relet_queues_limit_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--concurrency[jobs that run at once, in all workers together]:N:"
  "--rate[jobs that start in a time\: \"50\/min\", \"10\/s\;20000\/day\"]:RATE:"
  "--per-worker[jobs that run at once in each worker]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_limit_defaults_added=0

_shtab_relet_queues_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_ls_defaults_added=0

_shtab_relet_queues_pause_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--for[resume by itself after this time]:DURATION:"
  "--reason[said to whoever asks why jobs do not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_pause_defaults_added=0

_shtab_relet_queues_purge_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_purge_defaults_added=0

_shtab_relet_queues_resume_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_resume_defaults_added=0

_shtab_relet_queues_share_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of the queue:"
  ":as fair_by says\; \"\" for jobs that name none:"
  ":1 to 1000\; all have 1 at first:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_share_defaults_added=0

_shtab_relet_queues_shares_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of the queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_shares_defaults_added=0

_shtab_relet_queues_unlimit_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--forget[a limit that code declares counts again when a worker starts]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a queue:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_unlimit_defaults_added=0

_shtab_relet_queues_unshare_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of the queue:"
  ":as fair_by says\; \"\" for jobs that name none:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_queues_unshare_defaults_added=0

_shtab_relet_recover_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--dry-run[show whose jobs would be given back, and change nothing]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_recover_defaults_added=0

_shtab_relet_routines_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_defaults_added=0

_shtab_relet_routines_backfill_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N runs (1000)]:N:"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a routine:"
  ":the first due time (ISO 8601):"
  ":due times before this one (ISO 8601):"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_backfill_defaults_added=0

_shtab_relet_routines_delete_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_delete_defaults_added=0

_shtab_relet_routines_disable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[said to whoever asks why it does not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_disable_defaults_added=0

_shtab_relet_routines_enable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_enable_defaults_added=0

_shtab_relet_routines_history_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N due times (20)]:N:"
  "--before[only due times before this one (ISO 8601)\: the next page]:TIME:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_history_defaults_added=0

_shtab_relet_routines_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_ls_defaults_added=0

_shtab_relet_routines_pause_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[said to whoever asks why it does not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_pause_defaults_added=0

_shtab_relet_routines_resume_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_resume_defaults_added=0

_shtab_relet_routines_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N due times (20)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_show_defaults_added=0

_shtab_relet_routines_trigger_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--force[also if it is disabled, runs, or waits for what it depends on]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a routine:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_routines_trigger_defaults_added=0

_shtab_relet_run_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--once[instead\: work off what is ready in the store, then end]"
  "*"{-q,--queues}"[with --once\: only these queues]:QUEUE[=SHARE]:"
  "--slots[with --once\: jobs at once]:NUMBER:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of the task\; its last part is enough:"
  "(*)::arguments of the task\; see below:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_run_defaults_added=0

_shtab_relet_schedules_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_defaults_added=0

_shtab_relet_schedules_backfill_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N runs (1000)]:N:"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a schedule:"
  ":the first due time (ISO 8601):"
  ":due times before this one (ISO 8601):"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_backfill_defaults_added=0

_shtab_relet_schedules_delete_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--dry-run[show what would be changed, and change nothing]"
  "--yes[do not ask]"
  "--no-input[never ask\: refuse what would need an answer]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_delete_defaults_added=0

_shtab_relet_schedules_disable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[said to whoever asks why it does not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_disable_defaults_added=0

_shtab_relet_schedules_enable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_enable_defaults_added=0

_shtab_relet_schedules_history_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N due times (20)]:N:"
  "--before[only due times before this one (ISO 8601)\: the next page]:TIME:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_history_defaults_added=0

_shtab_relet_schedules_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_ls_defaults_added=0

_shtab_relet_schedules_pause_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[said to whoever asks why it does not run]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_pause_defaults_added=0

_shtab_relet_schedules_resume_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_resume_defaults_added=0

_shtab_relet_schedules_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--limit[at most N due times (20)]:N:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_show_defaults_added=0

_shtab_relet_schedules_trigger_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--force[also if it is disabled, runs, or waits for what it depends on]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a schedule:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_trigger_defaults_added=0

_shtab_relet_schedules_upsert_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--every[time between due times\; the first is now]:DURATION:"
  "--cron[five fields, such as \"30 9 \* \* mon-fri\"]:EXPRESSION:"
  "--tz[the zone of --cron, such as Europe\/Oslo (UTC)]:ZONE:"
  "--catchup[due times while no worker ran\: skip, latest or a number (latest)]:HOW:"
  "--overlap[a due time while a run has not ended (skip)]:overlap:(skip queue allow)"
  "--jitter[runs start up to so much later]:DURATION:"
  "*--depends-on[wait for this one to succeed first\; repeatable]:NAME:"
  "--max-failures[dead runs in a row that disable it (never)]:N:"
  "--disabled[a new one is disabled at first]"
  "--priority[low, normal, high, critical or a number\; higher goes first]:priority:"
  "--queue[instead of the task\'s own queue]:queue:"
  "--by-name[the task\'s code is elsewhere\: check only that its name is whole]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":its name:"
  ":name of the task\; its last part is enough:"
  "(*)::arguments of the task\; see below:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_schedules_upsert_defaults_added=0

_shtab_relet_status_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_status_defaults_added=0

_shtab_relet_tokens_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_tokens_defaults_added=0

_shtab_relet_tokens_add_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--role[viewer reads, operator changes, admin lets people in]:role:(viewer operator admin)"
  "*--scope[what it is for, such as \"jobs.\*\" or \"dead.list\"\; may be repeated (all)]:PATTERN:"
  "--lasts[how long it is good (90d), or \"forever\"]:DURATION:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":whose it is\: a program, or a person:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_tokens_add_defaults_added=0

_shtab_relet_tokens_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_tokens_ls_defaults_added=0

_shtab_relet_tokens_revoke_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):ids, as ls shows them:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_tokens_revoke_defaults_added=0

_shtab_relet_top_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--interval[between two pictures (1s)]:DURATION:"
  "--once[one picture, and end]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_top_defaults_added=0

_shtab_relet_version_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_version_defaults_added=0

_shtab_relet_web_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--host[address to listen on (127.0.0.1\: this host alone)]:host:"
  "--port[port to listen on (8700)\; 0\: any that is free]:port:"
  "--auth[who has to sign in\: nobody on loopback, everybody elsewhere (auto)\; everybody (on)\; nobody (off)]:auth:(auto on off)"
  "*--allow-host[also answer to this name, where nobody has to sign in\; may be repeated]:NAME:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_web_defaults_added=0

_shtab_relet_webhooks_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_defaults_added=0

_shtab_relet_webhooks_add_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "*"{-e,--event}"[job.succeeded, job.failed, job.dead, job.cancelled, job.recovered, queue.paused, queue.resumed, schedule.disabled, breaker.opened, breaker.closed, health.changed, or \*]:events:"
  "--name[by default the name of the host]:name:"
  "*--queue[only of jobs of this queue]:queues:"
  "*--task[only of jobs of this task]:tasks:"
  "--format[told]:told:(standard cloudevents)"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":https\:\/\/\…:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_add_defaults_added=0

_shtab_relet_webhooks_deliveries_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--webhook[to this one]:webhook:"
  "--state[state]:state:(pending delivered failed dropped)"
  "--limit[at most so many (50)]:limit:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":one message:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_deliveries_defaults_added=0

_shtab_relet_webhooks_disable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reason[kept with it]:reason:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_disable_defaults_added=0

_shtab_relet_webhooks_enable_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_enable_defaults_added=0

_shtab_relet_webhooks_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_ls_defaults_added=0

_shtab_relet_webhooks_redeliver_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*):messages:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_redeliver_defaults_added=0

_shtab_relet_webhooks_rm_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_rm_defaults_added=0

_shtab_relet_webhooks_rotate_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--keep[how long the former one signs, too (1d)]:DURATION:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_rotate_defaults_added=0

_shtab_relet_webhooks_show_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_show_defaults_added=0

_shtab_relet_webhooks_test_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a webhook:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_webhooks_test_defaults_added=0

_shtab_relet_why_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  ":name of a routine or schedule\; or a job\'s id, or its first digits:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_why_defaults_added=0

_shtab_relet_worker_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--reload[start anew when a source file here changes]"
  "--patience[how long to wait for a store that does not answer at start (30s)]:DURATION:"
  "--url[Where jobs are kept\: sqlite\:\/\/\/file.db, sqlite\+stdlib\:\/\/\/file.db or postgresql\:\/\/host,host\/database. (sqlite\:\/\/\/relet.db)]:URL:"
  {-A,--app}"[Where the App is\: module\:attribute, or module when it holds one App. (the only App in app.py, tasks.py, main.py or \<package\>\/tasks.py)]:TEXT:"
  "--worker[Name of this worker in the registry and in log lines. Only a label\: each process start has an identity of its own. (host name and process id)]:NAME:"
  "*"{-q,--queues}"[Queues to work on with their shares, such as email\=5,default\=1\; \* stands for all others. (all queues, evenly)]:QUEUE=SHARE:"
  "--queue-limits[What queues are held to in all workers together, such as lead\=5 50\/min 2\/worker\: at once, in a time, and in each worker. A person may say something else at run time. (none)]:QUEUE=LIMIT:"
  "--slots[Jobs that run at once in one worker process. A worker of async def tasks alone may have 1000 and more. (10)]:NUMBER:"
  "--turn-size[Jobs that one transaction settles and claims at most. (500)]:NUMBER:"
  "--lease[How long a worker that is not heard of keeps its jobs. Not a limit for the run of a job\: that is its timeout. (1m30s)]:DURATION:"
  "--heartbeat[How often a worker renews its lease\; at most a third of it, so that two renewals may fail. (a third of the lease)]:DURATION:"
  "--poll[The longest sleep before an idle worker looks for jobs again, should no wake-up reach it. (2s, or a quarter of a lease below 8s)]:DURATION:"
  "--grace[How long running jobs may go on after a worker was told to stop\; what remains is given back, at no cost to it. (30s)]:DURATION:"
  "--routine-grace[The same for runs of routines and schedules, if it is shorter than grace. A continuous one ends with its pass. (30s)]:DURATION:"
  "--max-concurrent-routines[Runs of routines at once, in the whole cluster\; the others wait, by priority. Continuous ones do not count. (no limit)]:NUMBER:"
  "--cancel-grace[How long a cancelled or timed-out job has to end by itself before it is abandoned or killed, unless its cancel says. (20s)]:DURATION:"
  "--offers[What this worker offers to jobs that need it, such as gpu\=a100,region\=eu. (nothing)]:KEY=VALUE:"
  "--tier[Workers of tier 0 claim first\; those of a higher number take only what has waited for tier_wait\: a standby. (0)]:NUMBER:"
  "--tier-wait[How long a job has to wait before a worker of a higher tier takes it. (5s)]:DURATION:"
  "--max-payload[The largest encoded arguments, and the largest result, of one job. Larger ones belong into a file or a table. (256K)]:SIZE:"
  "--max-backlog[Jobs that may wait in one queue. A worker closes a fuller one within seconds, until a tenth of them is done. (no limit)]:NUMBER:"
  "--keep-finished[How long finished jobs and their results are kept. (7d)]:DURATION:"
  "--keep-dead[How long dead letters are kept after they were resolved\; unresolved ones are kept for ever. (30d)]:DURATION:"
  "--keep-audit[How long it is kept what people did over HTTP. (90d)]:DURATION:"
  "--health-window[By the runs of so long a queue or a worker is judged healthy or not. (5m)]:DURATION:"
  "--health-errors[More failed runs than this while none succeeds, within the window\: not healthy. (5)]:NUMBER:"
  "--health-recovered-errors[To be healthy again, fewer runs than this must have failed within the window, and one must have succeeded. (3)]:NUMBER:"
  "--health-failure-percent[A larger part of the runs failed within the window\: not healthy\; to be healthy again, it has to be smaller. (5)]:NUMBER:"
  "--prices[What models cost per million tokens, in and out, for ctx.llm, such as claude-3-haiku\*\=0.25\/1.25. What code says comes before it, what genai-prices says behind it. (none)]:MODEL=IN/OUT:"
  "--lock-dir[A directory of this host for the files by whose locks workers notice each other\'s death at once. (\/tmp\/relet-UID)]:TEXT:"
  "--webhook-slots[Messages to webhooks that are on their way at once in one worker process, beside its jobs. 0\: it sends none. (20)]:NUMBER:"
  "--webhook-timeout[How long a webhook has to answer, all in all. (15s)]:DURATION:"
  "--webhook-allow[Networks of your own that messages may be sent to, such as 10.1.0.0\/16, beside public addresses. (none)]:NETWORK:"
  "--webhook-patience[A webhook that has failed for so long without a success is disabled\; 0\: never. (5d)]:DURATION:"
  "--webhook-secret[Signs what jobs tell to addresses of their own (notify). Not for a command line. (none\: it goes unsigned)]:SECRET:"
  "--log-format[Log lines for people (pretty) or for programs (json). (pretty)]:pretty|json:"
  "--log-level[The least level of log lines that are written. (info)]:debug|info|warning|error:"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_worker_defaults_added=0

_shtab_relet_workers_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_workers_defaults_added=0

_shtab_relet_workers_drain_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--all[all live workers]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*)::name of a worker, or the beginning of its session id:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_workers_drain_defaults_added=0

_shtab_relet_workers_ls_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--ended[also those that ended within this time, such as \"1h\"]:WITHIN:"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_workers_ls_defaults_added=0

_shtab_relet_workers_stop_options=(
  "(- : *)"{-h,--help}"[show this help message and exit]"
  "--all[all live workers]"
  "--url[where jobs are kept\; better RELET_URL when it holds a password]:URL:"
  {-A,--app}"[where the App is (RELET_APP)]:MODULE[:ATTR]:"
  "--json[one JSON object]"
  "--jsonl[one JSON object a line]"
  "--quiet[say nothing but data and errors]"
  "--no-color[no colours (as with NO_COLOR, or off a terminal)]"
  "(*)::name of a worker, or the beginning of its session id:"
)

# guard to ensure default positional specs are added only once per session
_shtab_relet_workers_stop_defaults_added=0


_shtab_relet() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->relet'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_defaults_added )); then
    if (( ${_shtab_relet_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_options[(I)${(q)remainder}*]} +          ${_shtab_relet_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_options+=(': :_shtab_relet_commands' '*::: :->relet')
    fi
    _shtab_relet_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_options

  case $state in
    relet)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet-$line[1]:"
      case $line[1] in
        batches) _shtab_relet_batches ;;
        breakers) _shtab_relet_breakers ;;
        budgets) _shtab_relet_budgets ;;
        completion) _arguments -C -s $_shtab_relet_completion_options ;;
        costs) _arguments -C -s $_shtab_relet_costs_options ;;
        dead) _shtab_relet_dead ;;
        demo) _arguments -C -s $_shtab_relet_demo_options ;;
        doctor) _arguments -C -s $_shtab_relet_doctor_options ;;
        enqueue) _arguments -C -s $_shtab_relet_enqueue_options ;;
        health) _arguments -C -s $_shtab_relet_health_options ;;
        init) _arguments -C -s $_shtab_relet_init_options ;;
        jobs) _shtab_relet_jobs ;;
        leases) _arguments -C -s $_shtab_relet_leases_options ;;
        limits) _shtab_relet_limits ;;
        migrate) _shtab_relet_migrate ;;
        queues) _shtab_relet_queues ;;
        recover) _arguments -C -s $_shtab_relet_recover_options ;;
        routines) _shtab_relet_routines ;;
        run) _arguments -C -s $_shtab_relet_run_options ;;
        schedules) _shtab_relet_schedules ;;
        status) _arguments -C -s $_shtab_relet_status_options ;;
        tokens) _shtab_relet_tokens ;;
        top) _arguments -C -s $_shtab_relet_top_options ;;
        version) _arguments -C -s $_shtab_relet_version_options ;;
        web) _arguments -C -s $_shtab_relet_web_options ;;
        webhooks) _shtab_relet_webhooks ;;
        why) _arguments -C -s $_shtab_relet_why_options ;;
        worker) _arguments -C -s $_shtab_relet_worker_options ;;
        workers) _shtab_relet_workers ;;
      esac
  esac
}

_shtab_relet_batches() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->batches'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_batches_defaults_added )); then
    if (( ${_shtab_relet_batches_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_batches_options[(I)${(q)remainder}*]} +          ${_shtab_relet_batches_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_batches_options+=(': :_shtab_relet_batches_commands' '*::: :->batches')
    fi
    _shtab_relet_batches_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_batches_options

  case $state in
    batches)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_batches-$line[1]:"
      case $line[1] in
        ls) _arguments -C -s $_shtab_relet_batches_ls_options ;;
        show) _arguments -C -s $_shtab_relet_batches_show_options ;;
      esac
  esac
}

_shtab_relet_breakers() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->breakers'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_breakers_defaults_added )); then
    if (( ${_shtab_relet_breakers_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_breakers_options[(I)${(q)remainder}*]} +          ${_shtab_relet_breakers_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_breakers_options+=(': :_shtab_relet_breakers_commands' '*::: :->breakers')
    fi
    _shtab_relet_breakers_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_breakers_options

  case $state in
    breakers)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_breakers-$line[1]:"
      case $line[1] in
        close) _arguments -C -s $_shtab_relet_breakers_close_options ;;
        ls) _arguments -C -s $_shtab_relet_breakers_ls_options ;;
        open) _arguments -C -s $_shtab_relet_breakers_open_options ;;
        reset) _arguments -C -s $_shtab_relet_breakers_reset_options ;;
        show) _arguments -C -s $_shtab_relet_breakers_show_options ;;
      esac
  esac
}

_shtab_relet_budgets() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->budgets'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_budgets_defaults_added )); then
    if (( ${_shtab_relet_budgets_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_budgets_options[(I)${(q)remainder}*]} +          ${_shtab_relet_budgets_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_budgets_options+=(': :_shtab_relet_budgets_commands' '*::: :->budgets')
    fi
    _shtab_relet_budgets_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_budgets_options

  case $state in
    budgets)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_budgets-$line[1]:"
      case $line[1] in
        forget) _arguments -C -s $_shtab_relet_budgets_forget_options ;;
        lift) _arguments -C -s $_shtab_relet_budgets_lift_options ;;
        ls) _arguments -C -s $_shtab_relet_budgets_ls_options ;;
        set) _arguments -C -s $_shtab_relet_budgets_set_options ;;
        show) _arguments -C -s $_shtab_relet_budgets_show_options ;;
      esac
  esac
}

_shtab_relet_dead() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->dead'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_dead_defaults_added )); then
    if (( ${_shtab_relet_dead_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_dead_options[(I)${(q)remainder}*]} +          ${_shtab_relet_dead_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_dead_options+=(': :_shtab_relet_dead_commands' '*::: :->dead')
    fi
    _shtab_relet_dead_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_dead_options

  case $state in
    dead)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_dead-$line[1]:"
      case $line[1] in
        ls) _arguments -C -s $_shtab_relet_dead_ls_options ;;
        resolve) _arguments -C -s $_shtab_relet_dead_resolve_options ;;
        retry) _arguments -C -s $_shtab_relet_dead_retry_options ;;
        rm) _arguments -C -s $_shtab_relet_dead_rm_options ;;
        show) _arguments -C -s $_shtab_relet_dead_show_options ;;
        stats) _arguments -C -s $_shtab_relet_dead_stats_options ;;
      esac
  esac
}

_shtab_relet_jobs() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->jobs'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_jobs_defaults_added )); then
    if (( ${_shtab_relet_jobs_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_jobs_options[(I)${(q)remainder}*]} +          ${_shtab_relet_jobs_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_jobs_options+=(': :_shtab_relet_jobs_commands' '*::: :->jobs')
    fi
    _shtab_relet_jobs_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_jobs_options

  case $state in
    jobs)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_jobs-$line[1]:"
      case $line[1] in
        cancel) _arguments -C -s $_shtab_relet_jobs_cancel_options ;;
        ls) _arguments -C -s $_shtab_relet_jobs_ls_options ;;
        retry) _arguments -C -s $_shtab_relet_jobs_retry_options ;;
        rm) _arguments -C -s $_shtab_relet_jobs_rm_options ;;
        show) _arguments -C -s $_shtab_relet_jobs_show_options ;;
        why) _arguments -C -s $_shtab_relet_jobs_why_options ;;
      esac
  esac
}

_shtab_relet_limits() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->limits'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_limits_defaults_added )); then
    if (( ${_shtab_relet_limits_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_limits_options[(I)${(q)remainder}*]} +          ${_shtab_relet_limits_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_limits_options+=(': :_shtab_relet_limits_commands' '*::: :->limits')
    fi
    _shtab_relet_limits_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_limits_options

  case $state in
    limits)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_limits-$line[1]:"
      case $line[1] in
        forget) _arguments -C -s $_shtab_relet_limits_forget_options ;;
        ls) _arguments -C -s $_shtab_relet_limits_ls_options ;;
        pause) _arguments -C -s $_shtab_relet_limits_pause_options ;;
        resume) _arguments -C -s $_shtab_relet_limits_resume_options ;;
        set) _arguments -C -s $_shtab_relet_limits_set_options ;;
        show) _arguments -C -s $_shtab_relet_limits_show_options ;;
      esac
  esac
}

_shtab_relet_migrate() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->migrate'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_migrate_defaults_added )); then
    if (( ${_shtab_relet_migrate_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_migrate_options[(I)${(q)remainder}*]} +          ${_shtab_relet_migrate_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_migrate_options+=(': :_shtab_relet_migrate_commands' '*::: :->migrate')
    fi
    _shtab_relet_migrate_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_migrate_options

  case $state in
    migrate)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_migrate-$line[1]:"
      case $line[1] in
        apply) _arguments -C -s $_shtab_relet_migrate_apply_options ;;
        plan) _arguments -C -s $_shtab_relet_migrate_plan_options ;;
        status) _arguments -C -s $_shtab_relet_migrate_status_options ;;
      esac
  esac
}

_shtab_relet_queues() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->queues'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_queues_defaults_added )); then
    if (( ${_shtab_relet_queues_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_queues_options[(I)${(q)remainder}*]} +          ${_shtab_relet_queues_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_queues_options+=(': :_shtab_relet_queues_commands' '*::: :->queues')
    fi
    _shtab_relet_queues_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_queues_options

  case $state in
    queues)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_queues-$line[1]:"
      case $line[1] in
        drain) _arguments -C -s $_shtab_relet_queues_drain_options ;;
        limit) _arguments -C -s $_shtab_relet_queues_limit_options ;;
        ls) _arguments -C -s $_shtab_relet_queues_ls_options ;;
        pause) _arguments -C -s $_shtab_relet_queues_pause_options ;;
        purge) _arguments -C -s $_shtab_relet_queues_purge_options ;;
        resume) _arguments -C -s $_shtab_relet_queues_resume_options ;;
        share) _arguments -C -s $_shtab_relet_queues_share_options ;;
        shares) _arguments -C -s $_shtab_relet_queues_shares_options ;;
        unlimit) _arguments -C -s $_shtab_relet_queues_unlimit_options ;;
        unshare) _arguments -C -s $_shtab_relet_queues_unshare_options ;;
      esac
  esac
}

_shtab_relet_routines() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->routines'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_routines_defaults_added )); then
    if (( ${_shtab_relet_routines_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_routines_options[(I)${(q)remainder}*]} +          ${_shtab_relet_routines_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_routines_options+=(': :_shtab_relet_routines_commands' '*::: :->routines')
    fi
    _shtab_relet_routines_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_routines_options

  case $state in
    routines)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_routines-$line[1]:"
      case $line[1] in
        backfill) _arguments -C -s $_shtab_relet_routines_backfill_options ;;
        delete) _arguments -C -s $_shtab_relet_routines_delete_options ;;
        disable) _arguments -C -s $_shtab_relet_routines_disable_options ;;
        enable) _arguments -C -s $_shtab_relet_routines_enable_options ;;
        history) _arguments -C -s $_shtab_relet_routines_history_options ;;
        ls) _arguments -C -s $_shtab_relet_routines_ls_options ;;
        pause) _arguments -C -s $_shtab_relet_routines_pause_options ;;
        resume) _arguments -C -s $_shtab_relet_routines_resume_options ;;
        show) _arguments -C -s $_shtab_relet_routines_show_options ;;
        trigger) _arguments -C -s $_shtab_relet_routines_trigger_options ;;
      esac
  esac
}

_shtab_relet_schedules() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->schedules'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_schedules_defaults_added )); then
    if (( ${_shtab_relet_schedules_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_schedules_options[(I)${(q)remainder}*]} +          ${_shtab_relet_schedules_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_schedules_options+=(': :_shtab_relet_schedules_commands' '*::: :->schedules')
    fi
    _shtab_relet_schedules_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_schedules_options

  case $state in
    schedules)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_schedules-$line[1]:"
      case $line[1] in
        backfill) _arguments -C -s $_shtab_relet_schedules_backfill_options ;;
        delete) _arguments -C -s $_shtab_relet_schedules_delete_options ;;
        disable) _arguments -C -s $_shtab_relet_schedules_disable_options ;;
        enable) _arguments -C -s $_shtab_relet_schedules_enable_options ;;
        history) _arguments -C -s $_shtab_relet_schedules_history_options ;;
        ls) _arguments -C -s $_shtab_relet_schedules_ls_options ;;
        pause) _arguments -C -s $_shtab_relet_schedules_pause_options ;;
        resume) _arguments -C -s $_shtab_relet_schedules_resume_options ;;
        show) _arguments -C -s $_shtab_relet_schedules_show_options ;;
        trigger) _arguments -C -s $_shtab_relet_schedules_trigger_options ;;
        upsert) _arguments -C -s $_shtab_relet_schedules_upsert_options ;;
      esac
  esac
}

_shtab_relet_tokens() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->tokens'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_tokens_defaults_added )); then
    if (( ${_shtab_relet_tokens_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_tokens_options[(I)${(q)remainder}*]} +          ${_shtab_relet_tokens_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_tokens_options+=(': :_shtab_relet_tokens_commands' '*::: :->tokens')
    fi
    _shtab_relet_tokens_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_tokens_options

  case $state in
    tokens)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_tokens-$line[1]:"
      case $line[1] in
        add) _arguments -C -s $_shtab_relet_tokens_add_options ;;
        ls) _arguments -C -s $_shtab_relet_tokens_ls_options ;;
        revoke) _arguments -C -s $_shtab_relet_tokens_revoke_options ;;
      esac
  esac
}

_shtab_relet_webhooks() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->webhooks'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_webhooks_defaults_added )); then
    if (( ${_shtab_relet_webhooks_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_webhooks_options[(I)${(q)remainder}*]} +          ${_shtab_relet_webhooks_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_webhooks_options+=(': :_shtab_relet_webhooks_commands' '*::: :->webhooks')
    fi
    _shtab_relet_webhooks_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_webhooks_options

  case $state in
    webhooks)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_webhooks-$line[1]:"
      case $line[1] in
        add) _arguments -C -s $_shtab_relet_webhooks_add_options ;;
        deliveries) _arguments -C -s $_shtab_relet_webhooks_deliveries_options ;;
        disable) _arguments -C -s $_shtab_relet_webhooks_disable_options ;;
        enable) _arguments -C -s $_shtab_relet_webhooks_enable_options ;;
        ls) _arguments -C -s $_shtab_relet_webhooks_ls_options ;;
        redeliver) _arguments -C -s $_shtab_relet_webhooks_redeliver_options ;;
        rm) _arguments -C -s $_shtab_relet_webhooks_rm_options ;;
        rotate) _arguments -C -s $_shtab_relet_webhooks_rotate_options ;;
        show) _arguments -C -s $_shtab_relet_webhooks_show_options ;;
        test) _arguments -C -s $_shtab_relet_webhooks_test_options ;;
      esac
  esac
}

_shtab_relet_workers() {
  local context state line curcontext="$curcontext" one_or_more='(*)' remainder='(-)*:' default='*::: :->workers'

  # Add default positional/remainder specs only if none exist, and only once per session
  if (( ! _shtab_relet_workers_defaults_added )); then
    if (( ${_shtab_relet_workers_options[(I)${(q)one_or_more}*]} +          ${_shtab_relet_workers_options[(I)${(q)remainder}*]} +          ${_shtab_relet_workers_options[(I)${(q)default}]} == 0 )); then
      _shtab_relet_workers_options+=(': :_shtab_relet_workers_commands' '*::: :->workers')
    fi
    _shtab_relet_workers_defaults_added=1
  fi
  _arguments -C -s $_shtab_relet_workers_options

  case $state in
    workers)
      words=($line[1] "${words[@]}")
      (( CURRENT += 1 ))
      curcontext="${curcontext%:*:*}:_shtab_relet_workers-$line[1]:"
      case $line[1] in
        drain) _arguments -C -s $_shtab_relet_workers_drain_options ;;
        ls) _arguments -C -s $_shtab_relet_workers_ls_options ;;
        stop) _arguments -C -s $_shtab_relet_workers_stop_options ;;
      esac
  esac
}



typeset -A opt_args

if [[ $zsh_eval_context[-1] == eval ]]; then
  # eval/source/. command, register function for later
  compdef _shtab_relet -N relet
else
  # autoload from fpath, call function directly
  _shtab_relet "$@"
fi
