/**
 * One process: reads its settings, opens the parts of the roles it plays, wires them by hand and
 * closes them in the opposite order. This is the only place that knows every module, and the only
 * one that configures logging. The command line lives in {@link dev.tintype.node.cli}.
 */
package dev.tintype.node;
