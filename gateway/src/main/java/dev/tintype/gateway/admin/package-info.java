/**
 * What only admins may see and do: the queue by tier, dead jobs with their causes, their second
 * life and their end.
 */
package dev.tintype.gateway.admin;
