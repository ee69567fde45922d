/* The lease protocol, for SPIN (spinroot.com): the machine of lease.py, with a budget of faults in place of bounds, so that
   SPIN can also prove that every job ends.

   -DFENCE_SESSION, -DFENCE_RUNS, -DFENCE_JOB, -DNO_FENCE   a settle names less than job, session and epoch
   -DNO_SECOND_LOOK                                         a reclaim trusts what its scan has seen
   -DBLIND_CLAIMS                                           a claim does not ask whether its session has ended */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FAULTS
#define FAULTS 3
#endif
#define SESSIONS (WORKERS + FAULTS)
#define CLAIMS (2 + FAULTS)
#define NOBODY 255
#define AT(s, e) ((s) * CLAIMS + (e))

/* What the settle of claim (s, e) must meet. */
#if defined(NO_FENCE)
#define FENCE(s, e) (true)
#elif defined(FENCE_JOB)
#define FENCE(s, e) (place != DONE)
#elif defined(FENCE_RUNS)
#define FENCE(s, e) (place == RUNNING)
#elif defined(FENCE_SESSION)
#define FENCE(s, e) (place == RUNNING && holder == s)
#else
#define FENCE(s, e) (place == RUNNING && holder == s && epoch == e)
#endif
#ifdef BLIND_CLAIMS
#define MAY_CLAIM(s) (lease[s] != LAPSED)
#else
#define MAY_CLAIM(s) (lease[s] == LIVE)
#endif
#ifdef NO_SECOND_LOOK
#define SECOND_LOOK(s) (lease[s] != ENDED)
#else
#define SECOND_LOOK(s) (lease[s] == LAPSED)
#endif

mtype = { READY, RUNNING, DONE, LIVE, LAPSED, ENDED };

mtype place = READY;
byte holder = NOBODY, epoch = 0, ends = 0;
mtype lease[SESSIONS];
bool abandoned[SESSIONS];
byte born = WORKERS, faults = FAULTS;
/* Settles that were sent: the network may bring them again at any time. */
bool sent_end[SESSIONS * CLAIMS], sent_retry[SESSIONS * CLAIMS];

inline fault() { faults > 0; faults-- }

/* One transaction of the store. */
inline store_takes(s, e, ending) {
    if
    :: FENCE(s, e) ->
        assert(place == RUNNING && holder == s && epoch == e);   /* only the claim that stands */
        holder = NOBODY;
        if
        :: ending -> place = DONE; ends++; assert(ends <= 1)     /* at most one end */
        :: else -> place = READY
        fi
    :: else
    fi
}

proctype Worker(byte session) {
    byte mine = 0;                  /* the epoch of the claim that it works on; 0: none */
    bool ending = false, asks = false;
    do
    :: atomic { mine == 0 && place == READY && MAY_CLAIM(session) ->
            place = RUNNING; holder = session; epoch++;
            if
            :: mine = epoch
            :: fault()              /* the answer is lost */
            fi }
    :: atomic { mine == 0 && place == RUNNING && holder == session && lease[session] != ENDED ->
            mine = epoch }          /* and found with the next renewal */
    :: atomic { mine != 0 && !asks ->
            asks = true;
            if
            :: ending = true; sent_end[AT(session, mine)] = true
            :: fault(); ending = false; sent_retry[AT(session, mine)] = true
            fi }
    :: atomic { asks ->
            store_takes(session, mine, ending);
            if
            :: asks = false; mine = 0
            :: fault()              /* the answer is lost: it asks again */
            fi }
    :: atomic { lease[session] == LAPSED -> lease[session] = LIVE }
    :: atomic { fault(); abandoned[session] = true; session = born; born++; lease[session] = LIVE; mine = 0; asks = false }
    :: atomic { mine == 0 && lease[session] == ENDED && born < SESSIONS -> session = born; born++; lease[session] = LIVE }
    :: place == DONE && mine == 0 -> break
    od
}

proctype Network() {
    byte n;
    do
    :: atomic { fault();
            select(n : 0 .. SESSIONS * CLAIMS - 1);
            if
            :: sent_end[n] -> store_takes(n / CLAIMS, n % CLAIMS, true)
            :: sent_retry[n] -> store_takes(n / CLAIMS, n % CLAIMS, false)
            :: else
            fi }
    :: faults == 0 -> break
    od
}

/* A renewal comes too late; and a dead worker renews no more. */
proctype Time() {
    byte s;
    do
    :: atomic { fault(); select(s : 0 .. SESSIONS - 1);
            if
            :: lease[s] == LIVE -> lease[s] = LAPSED
            :: else
            fi }
    :: atomic { place == RUNNING && abandoned[holder] && lease[holder] == LIVE -> lease[holder] = LAPSED }
    :: place == DONE -> break
    od
}

proctype Reclaimer() {
    byte doomed;
    do
    :: place == RUNNING && lease[holder] == LAPSED ->
        atomic { if :: place == RUNNING -> doomed = holder :: else -> doomed = NOBODY fi }
        /* between the scan and the lock anything may happen */
        atomic {
            if
            :: doomed != NOBODY && SECOND_LOOK(doomed) ->
                if
                :: place == RUNNING && holder == doomed ->
                    assert(lease[doomed] == LAPSED);             /* a good lease is never broken */
                    place = READY; holder = NOBODY
                :: else
                fi;
                lease[doomed] = ENDED
            :: else
            fi }
    :: place == DONE -> break
    od
}

init {
    byte n;
    atomic {
        for (n : 0 .. WORKERS - 1) { lease[n] = LIVE; run Worker(n) }
        run Network(); run Time(); run Reclaimer()
    }
}

ltl every_job_ends { <> (place == DONE) }
