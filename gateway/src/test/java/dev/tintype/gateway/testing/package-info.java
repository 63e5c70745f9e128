/**
 * What the gateway's tests stand on: a clock that tests move, a whole gateway over a real server
 * and a real database, and a worker that does what a test tells it. Nothing here is a mock: the
 * store is PostgreSQL and the HTTP is HTTP. Tests wait for events and never sleep.
 */
package dev.tintype.gateway.testing;
