/**
 * A whole fleet on one machine: real Kafka, Redis, S3 and PostgreSQL, and Tintype's roles in
 * processes of their own, each of which can be killed and started again.
 */
package dev.tintype.perf.fleet;
