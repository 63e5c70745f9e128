/**
 * The queue on virtual time: the real policy, relay, transport, admission and state machine over a
 * store in memory, against bursts, lost GPUs, silent workers, lost and doubled deliveries. One seed
 * is one history, so a failure replays.
 */
package dev.tintype.perf.simulate;
