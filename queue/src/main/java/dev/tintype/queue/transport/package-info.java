/**
 * How workers hear of jobs. A transport carries only wake-ups and short leases on them; the truth
 * is in the store, so that losing or doubling everything in a transport loses and doubles nothing.
 * The port is shaped after Kafka share groups (KIP-932): explicit acknowledge, release, renew, and
 * a topic per model and tier class.
 */
package dev.tintype.queue.transport;
