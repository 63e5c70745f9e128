package dev.tintype.node;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may import whom. The list is the whole truth; a room that is not in it may import nobody. */
class LayeringTest {
  private static final String OURS = "dev.tintype..";
  private static final String QUEUE = "dev.tintype.queue..";
  private static final String SAMPLER = "dev.tintype.sampler..";
  private static final String WORKER = "dev.tintype.worker..";
  private static final String EDGE = "dev.tintype.edge..";
  private static final String GATEWAY = "dev.tintype.gateway..";
  private static final String NODE = "dev.tintype.node..";

  private static final Map<String, String[]> MAY_IMPORT =
      Map.of(
          QUEUE, new String[] {QUEUE},
          SAMPLER, new String[] {SAMPLER},
          EDGE, new String[] {EDGE},
          WORKER, new String[] {WORKER, QUEUE, SAMPLER},
          GATEWAY, new String[] {GATEWAY, QUEUE},
          NODE, new String[] {OURS});

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.tintype");

  static Stream<String> rooms() {
    return MAY_IMPORT.keySet().stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("rooms")
  void importsOnlyWhatItMay(String room) {
    assertThat(CLASSES.that(resideInAnyPackage(room))).isNotEmpty();
    noClasses()
        .that()
        .resideInAPackage(room)
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(OURS).and(resideOutsideOfPackages(MAY_IMPORT.get(room))))
        .check(CLASSES);
  }

  @Test
  void everyClassIsInARoom() {
    classes()
        .should()
        .resideInAnyPackage(MAY_IMPORT.keySet().toArray(String[]::new))
        .check(CLASSES);
  }

  @Test
  void bindingsAreSpokenInTheNativeFloorsOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "..bindings..",
            "dev.tintype.sampler.device..",
            "dev.tintype.sampler.ops..",
            "dev.tintype.edge.vips..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("..bindings..")
        .check(CLASSES);
  }

  @Test
  void onlyTheNodeKnowsTheLoggingBehindSlf4j() {
    noClasses()
        .that()
        .resideOutsideOfPackage(NODE)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.util.logging..")
        .check(CLASSES);
  }

  @Test
  void nobodyUsesReflectionOnOurClasses() {
    noClasses()
        .that()
        .resideOutsideOfPackage("..bindings..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.reflect..")
        .check(CLASSES);
  }
}
