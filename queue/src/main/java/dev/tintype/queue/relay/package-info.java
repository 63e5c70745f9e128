/**
 * Who is next. The policy is a pure class that takes clock and seed as arguments; the relay around
 * it claims rows, keeps the transport shallow, and puts lapsed leases and deadlines in order.
 * Several relays may run at once.
 */
package dev.tintype.queue.relay;
