/**
 * Who works in the fleet. Workers say every few seconds in {@link
 * dev.tintype.queue.ephemera.Ephemera} what they are, serve and hold ({@link
 * dev.tintype.queue.fleet.WorkerPresence}); relays and gateways read it ({@link
 * dev.tintype.queue.fleet.FleetView}). It is a hint, never the truth about a job: where it is lost
 * or old, jobs wait a little or a wake-up goes astray, and leases keep everything right.
 */
package dev.tintype.queue.fleet;
