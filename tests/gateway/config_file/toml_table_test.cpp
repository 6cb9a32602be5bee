#include "gateway/config_file/toml_table.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "gateway/config_file/toml_guard.hpp"
#include "tests/support/config_text.hpp"
#include "tests/support/scratch_folder.hpp"

namespace toml_table_test {

using gateway::config::Problems;
using gateway::config_file::Accept;
using gateway::config_file::TomlTable;
using test::Mistake;

/// Parses a text and lets `read` have its root.
template <class Read>
gateway::config::Findings read(std::string_view text, Read read_root) {
    Problems problems{"t.toml"};
    const auto document = gateway::config_file::parse_toml(text, problems);
    if (document) {
        TomlTable root{*document, "root", problems};
        read_root(root);
    }
    return problems.take();
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

}  // namespace toml_table_test

BOOST_AUTO_TEST_SUITE(toml_table_test)

BOOST_AUTO_TEST_CASE(values_come_with_their_place) {
    const auto findings = read(
        "name = \"a\"\nports = [ 22,\n  \"80-90\" ]\nopen = true\nnumber = -3\n", [](TomlTable& root) {
            const auto name = root.text("name").value();
            BOOST_TEST(name.value == "a");
            BOOST_TEST(name.at.line == 1U);
            BOOST_TEST(name.at.column == 8U);
            const auto ports = root.values("ports", gateway::config::parse_port_range, Accept::text_or_number);
            BOOST_REQUIRE(ports.size() == 2U);
            BOOST_TEST(ports[0].value.first == 22);
            BOOST_TEST(ports[1].value.last == 90);
            BOOST_TEST(ports[1].at.line == 3U);
            BOOST_TEST(ports[1].at.column == 3U);
            BOOST_TEST(root.boolean("open").value());
            BOOST_TEST(root.integer("number", -3, 3).value() == -3);
            BOOST_TEST(!root.text("absent"));
            BOOST_TEST(root.texts("absent").empty());
            BOOST_TEST(root.tables("absent", "table").empty());
            root.refuse_unknown_keys();
        });
    BOOST_TEST(test::text_of(findings) == "");
}

BOOST_AUTO_TEST_CASE(tables_are_read_in_brackets_and_inline) {
    const auto findings = read("[[rule]]\nname = \"a\"\n[[rule]]\nname = \"b\"\n[one]\nx = 1\n", [](TomlTable& root) {
        auto rules = root.tables("rule", "rule");
        BOOST_REQUIRE(rules.size() == 2U);
        BOOST_TEST(rules[1].text("name")->value == "b");
        BOOST_TEST(rules[1].position().line == 3U);
        auto inline_or_not = root.table("one", "one");
        BOOST_REQUIRE(inline_or_not.has_value());
        BOOST_TEST(inline_or_not->integer("x", 0, 9).value() == 1);
    });
    BOOST_TEST(test::text_of(findings) == "");
}

BOOST_AUTO_TEST_CASE(a_wrong_type_is_named_with_what_to_write) {
    const auto read_all = [](TomlTable& root) {
        static_cast<void>(root.text("text"));
        static_cast<void>(root.texts("texts"));
        static_cast<void>(root.text("port", Accept::text_or_number));
        static_cast<void>(root.text("at", Accept::text_or_time));
        static_cast<void>(root.boolean("flag"));
        static_cast<void>(root.integer("number", 1, 9));
        static_cast<void>(root.table("table", "table"));
        static_cast<void>(root.tables("tables", "table"));
    };
    for (const auto& mistake : {
             Mistake{"text = 5", "1:8", "root: text: is a whole number, but must be a text in quotes"},
             Mistake{"text = [\"a\"]", "1:8", "is an array, but must be a text"},
             Mistake{"texts = \"a\"", "1:9", "texts: is a text, but must be an array; put the values into [ ]"},
             Mistake{"texts = [\"a\", 5]", "1:15", "is a whole number, but must be a text in quotes"},
             Mistake{"port = 2.5", "1:8", "is a fraction"},
             Mistake{"at = true", "1:6", "is a boolean, but must be a text or a time"},
             Mistake{"flag = \"true\"", "1:8", "must be true or false, without quotes"},
             Mistake{"number = \"5\"", "1:10", "must be a whole number, without quotes"},
             Mistake{"number = 10", "1:10", "10 is out of range; give a number from 1 to 9"},
             Mistake{"number = 0", "1:10", "0 is out of range"},
             Mistake{"table = 1", "1:9", "must be a table"},
             Mistake{"[[table]]", "1:1", "must be one table; write it once, in single brackets"},
             Mistake{"[tables]", "1:1", "must be an array of tables; write [[...]] with double brackets"},
             Mistake{"tables = [ 1979-05-27 ]", "1:12", "is a date or time, but must be a table"},
         }) {
        BOOST_TEST(test::difference(read(mistake.text, read_all), mistake) == "");
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_at_the_key_with_the_likely_one) {
    const auto read_two = [](TomlTable& root) {
        static_cast<void>(root.text("priority"));
        static_cast<void>(root.text("name"));
        root.refuse_unknown_keys();
    };
    for (const auto& mistake : {
             Mistake{"name = \"a\"\n  prioritty = 1", "2:3",
                     "root: unknown key \"prioritty\"; did you mean \"priority\"?"},
             Mistake{"Name = \"a\"", "1:1", "did you mean \"name\"?"},
             Mistake{"colour = 1", "1:1", "unknown key \"colour\"; the keys here are priority, name"},
             Mistake{"\"\\u001b[31m\" = 1", "1:1", "unknown key \"?[31m\""},
         }) {
        BOOST_TEST(test::difference(read(mistake.text, read_two), mistake) == "");
    }
}

BOOST_AUTO_TEST_CASE(all_missing_keys_are_named) {
    const auto findings = read("\n[rule]\nname = \"a\"\n", [](TomlTable& root) {
        root.table("rule", "rule")->require({"name", "to", "from"});
    });
    BOOST_TEST(test::text_of(findings) ==
               "t.toml:2:1: error: rule: needs the key \"to\"; add it\n"
               "t.toml:2:1: error: rule: needs the key \"from\"; add it\n");
}

BOOST_AUTO_TEST_CASE(times_are_read_natively_too) {
    const auto text = "a = 2026-01-31T09:30:00.000000001Z\nb = 2026-01-31T10:30:00.000000001+01:00\nc = 2026-01-31";
    const auto findings = read(text, [](TomlTable& root) {
        const auto a = root.value("a", gateway::config::parse_moment, Accept::text_or_time).value();
        const auto b = root.value("b", gateway::config::parse_moment, Accept::text_or_time).value();
        BOOST_TEST(captures::base::to_rfc3339(a.value) == "2026-01-31T09:30:00.000000001Z");
        BOOST_TEST((a.value == b.value));
        BOOST_TEST(!root.value("c", gateway::config::parse_moment, Accept::text_or_time));
    });
    BOOST_TEST(test::difference(findings, {text, "3:5", "\"2026-01-31\" is not a time; write RFC 3339"}) == "");
}

BOOST_AUTO_TEST_CASE(a_mistake_in_the_syntax_has_its_place) {
    for (const auto& mistake : {
             Mistake{"a = 1\nb = = 2\n", "2:5", "not TOML"},
             Mistake{"a = \"open\n", "1:10", "not TOML"},
             Mistake{"a = 1\na = 2\n", "2:5", "cannot redefine existing integer"},
             Mistake{"a = \"\xff\"\n", "1:5", "invalid utf-8"},
             Mistake{"[a", "1:3", "not TOML"},
         }) {
        BOOST_TEST(test::difference(read(mistake.text, [](TomlTable&) { BOOST_TEST(false, "nothing to read"); }),
                                    mistake) == "");
    }
}

BOOST_AUTO_TEST_CASE(nesting_that_would_exhaust_the_stack_is_refused) {
    struct Row {
        std::string text;
        bool deep;
    };
    for (const auto& row : {
             Row{repeated("a.", 1'000'000) + "a = 1", true},
             Row{"[" + repeated("\"a\" . ", 100'000) + "a]", true},
             Row{"x = { " + repeated("a.", 50) + "a = 1 }", true},
             Row{"x = " + repeated("[", 100'000), true},
             Row{"x = " + repeated("{a=", 100'000), true},
             Row{"x = \"\"\"" + repeated(".", 50) + "\"\"\"\"\"\n" + repeated("a.", 50) + "a = 1", true},
             Row{"x = '''\\'''\n" + repeated("a.", 50) + "a = 1", true},
             Row{"x = \"\\\"\" # \"\n" + repeated("a.", 50) + "a = 1", true},
             Row{"x = \"" + repeated(".", 50) + repeated("[", 50) + "\"", false},
             Row{"x = '" + repeated(".", 50) + "'", false},
             Row{"x = \"\"\"a\n\\\"\"\"" + repeated(".", 50) + "\"\"\"", false},
             Row{"# " + repeated(".", 50) + repeated("[", 50), false},
             Row{"x = [ " + repeated("1.5, ", 50) + " ]", false},
             Row{repeated("[[a.b]]\n", 50), false},
         }) {
        BOOST_TEST(gateway::config_file::unfit_for_toml(row.text).has_value() == row.deep, row.text.substr(0, 80));
    }
    const auto at = gateway::config_file::unfit_for_toml("ok = 1\n" + repeated("a.", 17) + "a = 1").value().at;
    BOOST_TEST(at.line == 2U);
    BOOST_TEST(at.column == 34U);
    const auto findings = read(repeated("a.", 1'000'000) + "a = 1", [](TomlTable&) {});
    BOOST_TEST(test::text_of(findings).find("nested deeper") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(characters_beyond_ascii_stand_in_strings_and_comments_only) {
    const auto nothing = [](TomlTable& root) { static_cast<void>(root.text("a")); };
    for (const auto* const fine :
         {"a = \"\u00e4\" # \u00e4", "a = '\u2028'", "\ufeffa = \"x\"", "a = \"\"\"\u0496\\\n  x\"\"\""}) {
        BOOST_TEST(test::text_of(read(fine, nothing)) == "", fine);
    }
    for (const auto& mistake : {
             Mistake{"a = \"x\"\n\u00e4 = 1", "2:1", "may stand only inside quotes or in a comment"},
             Mistake{"a = \"\u00e4\" \u201cx\u201d", "1:9", "put straight quotes around the text"},
             Mistake{std::string_view{"\xff\xfe"
                                      "a\0=\0",
                                      6},
                     "1:1", "the file is UTF-16; save it as UTF-8"},
             Mistake{std::string_view{"\xfe\xff\0a\0=", 6}, "1:1", "the file is UTF-16; save it as UTF-8"},
             Mistake{"a.\u0496.b = 1", "1:3", "may stand only inside quotes"},
             Mistake{"a = \"\"\"\\\u0496\"\"\"", "1:9", "not TOML"},
             Mistake{"a = \"\\\u0496\"", "1:7", "not TOML"},
         }) {
        BOOST_TEST(test::difference(read(mistake.text, nothing), mistake) == "");
    }
}

BOOST_AUTO_TEST_CASE(every_character_comes_through_unchanged) {
    for (char32_t character = 0xa0; character <= 0x10ffff; character += character < 0x10000 ? 1 : 0x101) {
        if (character >= 0xd800 && character < 0xe000) continue;
        const bool in_private_use = character >= 0xf00a0 && character <= 0xfffff;
        if (in_private_use) continue;  // what others are moved to
        std::string text;
        if (character < 0x800) {
            text += static_cast<char>(0xc0 | character >> 6U);
        } else if (character < 0x10000) {
            text += static_cast<char>(0xe0 | character >> 12U);
            text += static_cast<char>(0x80 | (character >> 6U & 0x3fU));
        } else {
            text += static_cast<char>(0xf0 | character >> 18U);
            text += static_cast<char>(0x80 | (character >> 12U & 0x3fU));
            text += static_cast<char>(0x80 | (character >> 6U & 0x3fU));
        }
        text += static_cast<char>(0x80 | (character & 0x3fU));
        const auto moved = gateway::config_file::moved_to_private_use("<" + text + ">");
        BOOST_TEST_INFO(static_cast<std::uint32_t>(character));
        BOOST_REQUIRE(gateway::config_file::moved_back(moved) == "<" + text + ">");
        BOOST_REQUIRE((moved == "<" + text + ">") == (character > 0xffff));
    }
    for (const auto* const broken : {"\xc3", "\xc3(", "\xe2\x80", "\xed\xa0\x80", "\xc0\x80", "\xf0\x9f\x98", "\xff"}) {
        BOOST_TEST(gateway::config_file::moved_to_private_use(broken) == broken);
    }
    BOOST_TEST(gateway::config_file::moved_back("\xf3\xb0\x80\x9b") == "\xf3\xb0\x80\x9b");  // not an escape character
    static_cast<void>(read("a = \"\u00c4nderung \u65e5\u672c\"",
                           [](TomlTable& root) { BOOST_TEST(root.text("a")->value == "\u00c4nderung \u65e5\u672c"); }));
}

BOOST_AUTO_TEST_CASE(findings_come_in_the_order_of_the_file_and_are_bounded) {
    Problems problems{"t.toml"};
    problems.warn({2, 1}, "second");
    problems.error({3, 1}, "third");
    problems.error({1, 9}, "first");
    BOOST_TEST(problems.has_errors());
    BOOST_TEST(test::text_of(problems.take()) ==
               "t.toml:1:9: error: first\nt.toml:2:1: warning: second\nt.toml:3:1: error: third\n");

    Problems many{"t.toml"};
    for (std::uint32_t line = 1; line <= Problems::most_findings + 7; ++line) many.error({line, 1}, "wrong");
    const auto findings = many.take();
    BOOST_TEST(findings.size() == Problems::most_findings + 1);
    BOOST_TEST(to_string(findings.back()) == "t.toml: error: and 7 more mistakes");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_whole_is_reported) {
    const support::ScratchFolder scratch;
    const auto& folder = scratch.path();
    const auto path = (folder / "large.toml").string();
    std::ofstream{path} << std::string(1U << 20, '#') << '\n';
    const auto failure = [&](const std::string& file, std::size_t most) {
        Problems problems{file};
        return read_text(file, most, problems) ? "none" : test::text_of(problems.take());
    };
    BOOST_TEST(failure(path, (1U << 20) + 1) == "none");
    BOOST_TEST(failure(path, 1U << 20) ==
               path + ": error: is larger than 1 MiB; leave out what is not needed, or split it\n");
    BOOST_TEST(failure("/dev/zero", 1U << 20).find("larger than 1 MiB") != std::string::npos);
    BOOST_TEST(failure((folder / "none.toml").string(), 9).find("No such file") != std::string::npos);
    BOOST_TEST(failure(folder.string(), 9).find("Is a directory") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
