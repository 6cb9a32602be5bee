#include "gateway/api/http/tls.hpp"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/running_server.hpp"

namespace tls_test {

using namespace std::chrono_literals;
using namespace gateway::api::http;
using captures::base::Ipv4Address;
using captures::base::Time;
using support::Folder;

constexpr Time now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31}};
const CertificateNames names{{"localhost", "gate.lab.example"}, {{0x7f000001}, {0xc0000207}}};

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

/// What openssl, which did not make it, tells about a certificate.
std::string told(const std::string& file, const std::string& what) {
    auto* const pipe = ::popen(("openssl x509 -in '" + file + "' -noout " + what + " 2>&1").c_str(), "r");
    std::string text;
    for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe)) text += static_cast<char>(letter);
    ::pclose(pipe);
    return text;
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

unsigned mode_of(const std::string& file) {
    struct stat status {};
    ::stat(file.c_str(), &status);
    return status.st_mode & 0777U;
}

}  // namespace tls_test

BOOST_AUTO_TEST_SUITE(tls_test)

BOOST_AUTO_TEST_CASE(a_certificate_is_made_as_clients_want_it) {
    const Folder folder;
    const auto own = own_certificate(folder.path, names, now);
    BOOST_REQUIRE(own);
    BOOST_TEST(own->made_because == "there was none");
    const auto text = told(own->files.chain_file, "-text");
    BOOST_TEST(holds(text, "DNS:localhost, DNS:gate.lab.example, IP Address:127.0.0.1, IP Address:192.0.2.7"), text);
    BOOST_TEST(holds(text, "ASN1 OID: prime256v1"), text);
    BOOST_TEST(holds(text, "CA:FALSE"));
    BOOST_TEST(holds(text, "TLS Web Server Authentication"));
    BOOST_TEST(holds(text, "Not Before: Jan 30 23:00:00 2026 GMT"), text);
    BOOST_TEST(holds(text, "Not After : May  5 00:00:00 2028 GMT"), text);
    BOOST_TEST(!certificate_problem(own->files, now));
}

BOOST_AUTO_TEST_CASE(only_its_owner_may_read_the_key) {
    const Folder folder;
    const auto before = ::umask(0);
    const auto own = own_certificate(folder.path, names, now);
    ::umask(before);
    BOOST_REQUIRE(own);
    BOOST_TEST(mode_of(own->files.key_file) == 0600U);
    BOOST_TEST(mode_of(own->files.chain_file) == 0644U);
    const auto files = std::distance(std::filesystem::directory_iterator{folder.path}, {});
    BOOST_TEST(files == 2);  // no drafts are left over
}

BOOST_AUTO_TEST_CASE(the_fingerprint_is_openssls) {
    const Folder folder;
    const auto own = own_certificate(folder.path, names, now);
    BOOST_REQUIRE(own);
    const auto ours = fingerprint(own->files.chain_file);
    BOOST_REQUIRE(ours);
    BOOST_TEST(ours->size() == 95U);
    BOOST_TEST(holds(told(own->files.chain_file, "-fingerprint -sha256"), *ours));
}

BOOST_AUTO_TEST_CASE(a_good_certificate_is_left_alone) {
    const Folder folder;
    const auto first = own_certificate(folder.path, names, now).value();
    const auto text = text_of(first.files.chain_file);
    BOOST_TEST(own_certificate(folder.path, names, now + 24h * 800)->made_because.empty());
    BOOST_TEST(text_of(first.files.chain_file) == text);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_will_not_do_is_made_anew) {
    const Folder folder;
    const auto files = own_certificate(folder.path, names, now).value().files;
    const auto old = text_of(files.chain_file);

    BOOST_TEST(own_certificate(folder.path, names, now + 24h * 826)->made_because == "the old one had expired");
    BOOST_TEST(text_of(files.chain_file) != old);
    BOOST_TEST(own_certificate(folder.path, {{"localhost"}, {{0x0a000001}}}, now)->made_because ==
               "the old one was not for 10.0.0.1");
    std::ofstream{files.chain_file} << old;
    BOOST_TEST(own_certificate(folder.path, names, now)->made_because == "certificate and key did not belong together");
    std::ofstream{files.key_file} << "nonsense";
    BOOST_TEST(own_certificate(folder.path, names, now)->made_because == "there was none");
    BOOST_TEST(!certificate_problem(files, now));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_named) {
    const auto own = own_certificate("/proc/portcullis", names, now);
    BOOST_REQUIRE(!own);
    BOOST_TEST(holds(own.error(), "/proc/portcullis/portcullis-key.pem.new"), own.error());
    BOOST_TEST(holds(own.error(), "tls_certificate"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_given_files_is_told) {
    const Folder folder;
    const Folder other;
    const auto good = own_certificate(folder.path, names, now).value().files;
    const auto another = own_certificate(other.path, names, now).value().files;
    const auto problem = [&](const Certificate& files, Time at) {
        return certificate_problem(files, at).value_or("none");
    };
    BOOST_TEST(problem(good, now) == "none");
    BOOST_TEST(holds(problem(good, now + certificate_life + 1s), "has expired"));
    BOOST_TEST(holds(problem({good.chain_file, another.key_file}, now), "is not the key of"));
    BOOST_TEST(holds(problem({good.key_file, good.key_file}, now), "no certificate in PEM form"));
    BOOST_TEST(holds(problem({good.chain_file, "/nowhere"}, now), "/nowhere: no private key"));
    BOOST_TEST(!fingerprint("/nowhere"));
}

BOOST_AUTO_TEST_CASE(a_server_with_bad_files_says_which) {
    Server server;
    const Server::Options options{
        .listen = {{0x7f000001}, 0}, .tls = Certificate{"/nowhere.pem", "/key.pem"}, .limits = {}};
    const auto result = server.listen(options, {});
    BOOST_REQUIRE(!result);
    BOOST_TEST(holds(result.error(), "/nowhere.pem: "), result.error());
}

BOOST_AUTO_TEST_CASE(this_hosts_names_are_those_that_clients_use) {
    const auto any = names_of_this_host({0});
    BOOST_TEST(any.dns.front() == "localhost");
    BOOST_TEST((any.addresses == std::vector<Ipv4Address>{{0x7f000001}}));
    BOOST_TEST((names_of_this_host({0xc0000207}).addresses == std::vector<Ipv4Address>{{0x7f000001}, {0xc0000207}}));
}

BOOST_AUTO_TEST_SUITE_END()
