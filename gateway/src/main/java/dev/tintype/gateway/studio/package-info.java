/**
 * The studio: one static page that submits prompts and watches jobs through the public API, like
 * any other client. Its files are resources, read once at start and served with a strict content
 * security policy. There is no build step and nothing is loaded from elsewhere.
 */
package dev.tintype.gateway.studio;
