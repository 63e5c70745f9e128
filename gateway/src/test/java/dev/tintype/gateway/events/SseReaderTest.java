package dev.tintype.gateway.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.gateway.events.SseReader.Message;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The examples are those of the HTML standard, section 9.2.6. */
class SseReaderTest {
  @Test
  void linesOfDataAreJoined() throws IOException {
    assertThat(read("data: YHOO\ndata: +2\ndata: 10\n\n"))
        .containsExactly(new Message("", "message", "YHOO\n+2\n10"));
  }

  @Test
  void commentsSayNothingIdsStayAndAnUnfinishedMessageIsDropped() throws IOException {
    assertThat(
            read(
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                    + "data:  third event"))
        .containsExactly(
            new Message("1", "message", "first event"), new Message("", "message", "second event"));
    assertThat(read("id: 7\nevent: step\ndata: a\n\nevent: error\ndata: b\n\n"))
        .containsExactly(new Message("7", "step", "a"), new Message("7", "error", "b"));
  }

  @Test
  void anEmptyLineOfDataIsAMessageOnceItIsNotAlone() throws IOException {
    assertThat(read("data\ndata\n\ndata:\n")).containsExactly(new Message("", "message", "\n"));
  }

  @Test
  void anyEndOfLineEndsOne() throws IOException {
    assertThat(read("data: a\r\n\r\ndata: b\r\rdata: ü\n\n"))
        .extracting(Message::data)
        .containsExactly("a", "b", "ü");
  }

  @Test
  void aMessageIsBounded() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'a';
          }

          @Override
          public int read(byte[] to, int offset, int length) {
            Arrays.fill(to, offset, offset + length, (byte) 'a');
            return length;
          }
        };
    assertThatThrownBy(() -> new SseReader(endless).next())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(Integer.toString(SseReader.MESSAGE_CHARS_MAX));
  }

  private static List<Message> read(String text) throws IOException {
    List<Message> all = new ArrayList<>();
    try (SseReader reader =
        new SseReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))) {
      for (Optional<Message> next = reader.next(); next.isPresent(); next = reader.next()) {
        all.add(next.get());
      }
    }
    return all;
  }
}
