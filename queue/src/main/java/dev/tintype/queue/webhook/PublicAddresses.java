package dev.tintype.queue.webhook;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;

/**
 * Which addresses are anybody's: those that are neither of this machine nor of a private, shared,
 * documentation or otherwise special network (the IANA special-purpose registries, RFC 6890). Of
 * IPv6 only global unicast counts, less what carries an IPv4 address inside (6to4, Teredo; NAT64 is
 * outside of it anyway).
 */
final class PublicAddresses {
  /** Address and prefix length. */
  private record Network(byte[] address, int bits) {
    boolean contains(byte[] other) {
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >> bit % 8;
        if ((address[bit / 8] & mask) != (other[bit / 8] & mask)) {
          return false;
        }
      }
      return true;
    }
  }

  private static final List<Network> SPECIAL_4 =
      List.of(
          v4(0, 0, 0, 8),
          v4(10, 0, 0, 8),
          v4(100, 64, 0, 10),
          v4(127, 0, 0, 8),
          v4(169, 254, 0, 16),
          v4(172, 16, 0, 12),
          v4(192, 0, 0, 24),
          v4(192, 0, 2, 24),
          v4(192, 88, 99, 24),
          v4(192, 168, 0, 16),
          v4(198, 18, 0, 15),
          v4(198, 51, 100, 24),
          v4(203, 0, 113, 24),
          v4(224, 0, 0, 3));

  private static final Network GLOBAL_6 = v6(0x2000, 0, 3);

  private static final List<Network> SPECIAL_6 =
      List.of(v6(0x2001, 0, 23), v6(0x2001, 0x0db8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20));

  private PublicAddresses() {}

  private static Network v4(int a, int b, int c, int bits) {
    return new Network(new byte[] {(byte) a, (byte) b, (byte) c, 0}, bits);
  }

  private static Network v6(int first, int second, int bits) {
    byte[] address = new byte[16];
    address[0] = (byte) (first >> 8);
    address[1] = (byte) first;
    address[2] = (byte) (second >> 8);
    address[3] = (byte) second;
    return new Network(address, bits);
  }

  static boolean contains(InetAddress address) {
    byte[] bytes = address.getAddress();
    return address instanceof Inet4Address
        ? SPECIAL_4.stream().noneMatch(network -> network.contains(bytes))
        : GLOBAL_6.contains(bytes)
            && SPECIAL_6.stream().noneMatch(network -> network.contains(bytes));
  }
}
