/**
 * Pictures that users send to start from. The gateway reads their header only, for format and size;
 * the worker decodes them, where a hostile file costs one job and not the front door.
 */
package dev.tintype.gateway.images;
