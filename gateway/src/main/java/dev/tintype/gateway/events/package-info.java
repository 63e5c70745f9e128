/**
 * Event streams (server-sent events, WHATWG HTML section 9.2): a job's log, replayed from where the
 * client stopped and then live. One virtual thread serves one stream and has at most one piece of
 * output in flight, so that a slow reader costs one buffer and not a growing queue.
 */
package dev.tintype.gateway.events;
