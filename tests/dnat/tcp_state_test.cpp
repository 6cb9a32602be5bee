#include "dnat/tcp_state.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"
#include "tests/support/tcp_transcript.hpp"

namespace tcp_state_test {

using dnat::FlowState;
using support::TcpTranscript;

void play(const std::vector<std::string_view>& lines) { TcpTranscript{}.play(lines); }

/// Opened, with 100 bytes from the client acknowledged: the client is at 1101, the server at 5001.
TcpTranscript established() {
    TcpTranscript open;
    open.play({"client S 1000                -> syn-sent", "server S. 5000 ack 1001      -> syn-received",
               "client . 1001 ack 5001       -> established", "client P. 1001+100 ack 5001  -> established",
               "server . 5001 ack 1101       -> established"});
    return open;
}

TcpTranscript closed() {
    auto closing = established();
    closing.play({"client F. 1101 ack 5001 -> client-closed", "server F. 5001 ack 1102 -> closing",
                  "client . 1102 ack 5002  -> closing, quiet"});
    return closing;
}

}  // namespace tcp_state_test

BOOST_AUTO_TEST_SUITE(tcp_state_test)

// Opening

BOOST_AUTO_TEST_CASE(three_segments_open_a_connection) {
    play({"client S 1000           -> syn-sent", "server S. 5000 ack 1001 -> syn-received",
          "client . 1001 ack 5001  -> established", "server P. 5001+10 ack 1001 -> established"});
}

BOOST_AUTO_TEST_CASE(a_syn_may_be_repeated_and_so_may_its_answer) {  // VPP tcp_session_open_retransmit1, 2
    play({"client S 1000           -> syn-sent", "client S 1000           -> syn-sent",
          "server S. 5000 ack 1001 -> syn-received", "server S. 5000 ack 1001 -> syn-received",
          "client S 1000           -> syn-received", "server S. 5000 ack 1001 -> syn-received",
          "client . 1001 ack 5001  -> established", "server S. 5000 ack 1001 -> established, quiet",
          "client . 1001 ack 5001  -> established"});
}

BOOST_AUTO_TEST_CASE(a_syn_with_another_number_begins_anew) {
    play({"client S 1000           -> syn-sent", "client S 77000          -> syn-sent",
          "server S. 5000 ack 1001 -> syn-sent", "server S. 6000 ack 77001 -> syn-received",
          "client . 77001 ack 6001 -> established"});
}

BOOST_AUTO_TEST_CASE(both_sides_may_open_at_once) {  // RFC 9293 figure 8
    play({"client S 1000            -> syn-sent", "server S 5000            -> syn-received",
          "client S. 1000 ack 5001  -> syn-received", "server S. 5000 ack 1001  -> established"});
}

BOOST_AUTO_TEST_CASE(a_server_may_split_its_answer) {  // SYN and ACK apart (RFC 5382 REQ-2)
    play({"client S 1000           -> syn-sent", "server . 5000 ack 1001  -> syn-sent",
          "server S 5000           -> syn-received", "client S. 1000 ack 5001 -> syn-received",
          "server . 5001 ack 1001  -> established"});
}

BOOST_AUTO_TEST_CASE(a_syn_may_carry_data_of_which_the_server_takes_what_it_likes) {  // RFC 7413
    play({"client S 1000+500      -> syn-sent", "server S. 5000 ack 1501 -> syn-received",
          "client . 1501 ack 5001  -> established"});
    play({"client S 1000+500      -> syn-sent", "server S. 5000 ack 1001 -> syn-received",
          "client P. 1001+500 ack 5001 -> established"});
}

BOOST_AUTO_TEST_CASE(an_old_syn_ack_does_not_open_anything) {  // kernel conntrack_synack_old
    play({"client S 2375731741                     -> syn-sent", "server S. 145824453 ack 643160523       -> syn-sent",
          "client S 2375731741                     -> syn-sent",
          "server S. 145758918 ack 2375731742      -> syn-received",
          "client P. 2375731742+1 ack 145758919    -> established"});
}

BOOST_AUTO_TEST_CASE(a_challenge_to_the_first_syn_and_its_reset_leave_the_door_open) {  // conntrack_syn_challenge_ack
    play({"client S 0                          -> syn-sent", "server . 145824453 ack 643160523    -> syn-sent",
          "client R 643160523 win 0            -> syn-sent, quiet", "client S 0                          -> syn-sent",
          "server S. 0 ack 1 win 250           -> syn-received", "client . 1 ack 1 win 256            -> established"});
}

BOOST_AUTO_TEST_CASE(an_acknowledgment_before_the_servers_syn_acknowledges_nothing) {
    const std::vector<std::string_view> opened{
        "client S 1000             -> syn-sent", "client . 1001 ack 900000  -> syn-sent",
        "server S. 5000 ack 1001   -> syn-received", "client . 1001 ack 5001    -> established",
        "server P. 5001+10 ack 1001 -> established"};
    TcpTranscript open;
    open.play(opened);
    BOOST_TEST(open.track().client.ack == 5001U);
    open.play({"server R 900000 -> established, quiet", "server R 5200 -> reset"});
}

BOOST_AUTO_TEST_CASE(an_acknowledgment_of_what_cannot_have_been_sent_opens_nothing) {
    play({"client S 1000             -> syn-sent", "server S. 5000 ack 1001    -> syn-received",
          "client . 1001 ack 900000  -> syn-received", "client . 1001 ack 5001     -> established"});
}

BOOST_AUTO_TEST_CASE(a_closed_port_answers_the_syn_with_a_reset) {
    play({"client S 1000          -> syn-sent", "server R. 0 ack 1001   -> reset",
          "client S 2000          -> reset, reopen"});
    play({"client S 1000          -> syn-sent", "server R. 0 ack 999    -> syn-sent, quiet",
          "server R 0             -> syn-sent, quiet"});
}

BOOST_AUTO_TEST_CASE(a_client_may_give_up_its_syn) { play({"client S 1000 -> syn-sent", "client R 1001 -> reset"}); }

BOOST_AUTO_TEST_CASE(a_half_open_connection_can_be_closed) {
    play({"client S 1000            -> syn-sent", "server S. 5000 ack 1001  -> syn-received",
          "client F. 1001 ack 5001  -> client-closed", "server F. 5001 ack 1002  -> closing"});
}

// Another connection on the same ports

BOOST_AUTO_TEST_CASE(a_syn_on_a_live_connection_passes_to_be_challenged) {  // kernel conntrack_synack_reuse, RFC 5961 4
    auto open = established();
    open.play({"client S 2000           -> established, quiet", "server . 5001 ack 1101  -> established",
               "client R. 1101 ack 5001 -> reset", "client S 2000           -> reset, reopen"});
}

BOOST_AUTO_TEST_CASE(after_both_sides_closed_a_clients_syn_asks_the_rules_and_a_servers_is_refused) {
    closed().play({"client S 900000     -> closing, reopen",  // VPP tcp_session_reopen, half_reopen_*
                   "server S 900000     -> closing, invalid", "client . 1102 ack 5002 -> closing, quiet"});
}

BOOST_AUTO_TEST_CASE(a_reopened_flow_begins_like_a_new_one) {
    auto flow = closed();
    const support::Decoded syn{support::tcp("198.51.100.7:40000", "203.0.113.10:50022").syn().seq(900000)};
    FlowState state = flow.state();
    dnat::TcpTrack track = flow.track();
    begin(state, track, syn.packet);
    BOOST_TEST((state == FlowState::syn_sent));
    BOOST_TEST(track.client.next == 900001U);
    BOOST_TEST(!track.server.seen);
    BOOST_TEST(!track.client.acked);
}

// Closing

BOOST_AUTO_TEST_CASE(it_closes_when_both_sides_have) {  // VPP tcp_close, tcp_session_close_in, _out
    auto client_first = established();
    client_first.play({"client F. 1101 ack 5001 -> client-closed", "server . 5001 ack 1102  -> client-closed",
                       "server F. 5001 ack 1102 -> closing", "client . 1102 ack 5002  -> closing, quiet",
                       "client F. 1101 ack 5001 -> closing, quiet", "server . 5002 ack 1102  -> closing, quiet"});
    auto server_first = established();
    server_first.play({"server F. 5001 ack 1101 -> server-closed", "client . 1101 ack 5002  -> server-closed",
                       "client F. 1101 ack 5002 -> closing", "server . 5002 ack 1102  -> closing, quiet"});
}

BOOST_AUTO_TEST_CASE(it_closes_when_both_sides_do_at_once) {  // VPP tcp_session_close_simultaneous
    established().play({"server F. 5001 ack 1101 -> server-closed", "client F. 1101 ack 5001 -> closing",
                        "server . 5002 ack 1102  -> closing, quiet", "client . 1102 ack 5002  -> closing, quiet"});
}

BOOST_AUTO_TEST_CASE(a_half_closed_connection_goes_on_the_other_way) {
    auto half = established();
    half.play({"client F. 1101 ack 5001      -> client-closed", "server P. 5001+1400 ack 1102 -> client-closed",
               "client . 1102 ack 6401       -> client-closed",
               "client F. 1101 ack 6401      -> client-closed",  // repeated
               "client S 999999              -> client-closed, quiet", "server F. 6401+100 ack 1102  -> closing"});
}

BOOST_AUTO_TEST_CASE(a_fin_with_the_last_data_closes_too) {
    established().play({"client F. 1101+50 ack 5001 -> client-closed", "server F. 5001+70 ack 1152 -> closing"});
}

BOOST_AUTO_TEST_CASE(a_fin_that_the_receiver_would_not_take_closes_nothing) {
    established().play({"client F. 900000000 ack 5001 -> established", "server F. 4000 ack 1101      -> established"});
}

// Resets

BOOST_AUTO_TEST_CASE(only_a_reset_that_the_receiver_would_believe_counts) {  // kernel conntrack_rst_invalid
    TcpTranscript open;
    open.play({"client S 0                     -> syn-sent", "server S. 0 ack 1              -> syn-received",
               "client . 1 ack 1 win 65535     -> established", "server . 1+3000 ack 1 win 65535 -> established",
               "client . 1 ack 3001 win 65535  -> established", "server R 0 win 0               -> established, quiet",
               "server R 1000000 win 0         -> established, quiet",
               "server R 42 win 0              -> established, quiet",
               "client P. 1+1000 ack 3001 win 65535 -> established", "server . 3001 ack 1001 win 65535 -> established",
               "server R. 3000 ack 1001 win 0  -> established, quiet", "server R. 3001 ack 1001 win 0  -> reset"});
}

BOOST_AUTO_TEST_CASE(numbers_far_outside_of_the_window_move_nothing) {
    TcpTranscript forged_data;
    forged_data.play(
        {"client S 0                          -> syn-sent", "server S. 0 ack 1 win 65535         -> syn-received",
         "client . 1 ack 1 win 65535          -> established", "client P. 100000001+10 ack 1        -> established",
         "client R 100000011 win 0            -> established, quiet"});
    TcpTranscript forged_acknowledgment;
    forged_acknowledgment.play(
        {"client S 0                    -> syn-sent", "server S. 0 ack 1 win 65535   -> syn-received",
         "client . 1 ack 1 win 65535    -> established", "client . 1 ack 100000001      -> established",
         "server R. 1 ack 1 win 0       -> reset"});
}

BOOST_AUTO_TEST_CASE(a_capture_that_lacks_a_windowful_is_followed_all_the_same) {
    TcpTranscript gap;
    gap.play(
        {"client S 0                          -> syn-sent", "server S. 0 ack 1 win 65535         -> syn-received",
         "client . 1 ack 1 win 65535          -> established", "client P. 60001+10 ack 50001        -> established",
         "server F. 50001 ack 60011           -> server-closed", "client F. 60011 ack 50002           -> closing"});
}

BOOST_AUTO_TEST_CASE(data_after_a_refusal_does_not_make_a_connection) {
    TcpTranscript refused;
    refused.play({"client S 0              -> syn-sent", "server R. 0 ack 1 win 0 -> reset",
                  "server P. 1+1 ack 1     -> reset, quiet", "client . 1 ack 2        -> reset, quiet"});
}

BOOST_AUTO_TEST_CASE(while_closing_a_late_reset_passes_and_changes_nothing) {  // kernel conntrack_inexact_rst
    TcpTranscript open;
    open.play({"client S 0                    -> syn-sent", "server S. 0 ack 1             -> syn-received",
               "client . 1 ack 1              -> established", "server . 1+3000 ack 1         -> established",
               "client P. 1+1000 ack 3001     -> established", "server F. 3001 ack 1001       -> server-closed",
               "client . 1001 ack 3002        -> server-closed", "client R. 1001 ack 3002       -> reset",
               "server R 2001 win 0           -> reset, quiet"});
}

BOOST_AUTO_TEST_CASE(a_reset_anywhere_in_the_receivers_window_counts) {
    struct Row {
        const char* sentence;
        const char* segment;
    };
    for (const auto& row : {
             Row{"the first byte of the window", "server R 5001 -> reset"},
             Row{"the last byte of the window", "server R 6000 -> reset"},
             Row{"one past it", "server R 6001 -> established, quiet"},
             Row{"one before it", "server R 5000 -> established, quiet"},
             Row{"the next sequence number, window or not", "client R 1101 -> reset"},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            auto open = established();
            open.play({"client . 1101 ack 5001 win 1000 -> established",
                       "server . 5001 ack 1101 win 0    -> established", row.segment});
        }
    }
}

BOOST_AUTO_TEST_CASE(windows_are_scaled_if_both_sides_offered_to) {
    struct Row {
        const char* sentence;
        const char* syn;
        const char* syn_ack;
        const char* within;
        const char* beyond;
    };
    for (const auto& row : {
             Row{"both: times 128", "client S 1000 scale 7 -> syn-sent",
                 "server S. 5000 ack 1001 scale 2 -> syn-received", "server R 133031 -> reset",
                 "server R 133032 -> established, quiet"},
             Row{"the client alone", "client S 1000 scale 7 -> syn-sent", "server S. 5000 ack 1001 -> syn-received",
                 "server R 6031 -> reset", "server R 6032 -> established, quiet"},
             Row{"the server alone", "client S 1000 -> syn-sent", "server S. 5000 ack 1001 scale 2 -> syn-received",
                 "server R 6031 -> reset", "server R 6032 -> established, quiet"},
             Row{"neither", "client S 1000 -> syn-sent", "server S. 5000 ack 1001 -> syn-received",
                 "server R 6031 -> reset", "server R 6032 -> established, quiet"},
             Row{"more than 14 counts as 14 (RFC 7323 2.3)", "client S 1000 scale 15 -> syn-sent",
                 "server S. 5000 ack 1001 scale 0 -> syn-received", "server R 16389031 -> reset",
                 "server R 16389032 -> established, quiet"},
         }) {
        for (const auto* const last : {row.within, row.beyond}) {
            BOOST_TEST_CONTEXT(row.sentence) {
                play({row.syn, row.syn_ack, "client . 1001 ack 5001 win 1000 -> established",
                      "server P. 5001+31 ack 1001 win 1000 -> established",
                      "client . 1001 ack 5032 win 1000 -> established", last});
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_window_of_a_syn_is_never_scaled) {
    play({"client S 1000 win 1000 scale 7  -> syn-sent", "server S. 5000 ack 1001 win 1000 scale 7 -> syn-received",
          "client R 2001 -> syn-received, quiet", "client R 2000 -> reset"});
}

BOOST_AUTO_TEST_CASE(after_a_reset_data_shows_that_it_did_not_take) {  // RFC 6146 3.5.2.2; VPP session_rst_established
    established().play({"client R 1101            -> reset", "client R 1101            -> reset, quiet",
                        "server P. 5001+10 ack 1101 -> established", "server R 5011            -> reset",
                        "client . 1101 ack 5011   -> established"});
}

BOOST_AUTO_TEST_CASE(after_a_reset_no_syn_revives_the_flow) {
    established().play({"server R 5001            -> reset", "server S 8000            -> reset, invalid",
                        "server S. 8000 ack 1001  -> reset, quiet", "client S. 8000 ack 5001  -> reset, quiet",
                        "client S 9000            -> reset, reopen"});
}

BOOST_AUTO_TEST_CASE(a_reset_ends_a_connection_that_is_closing) {
    closed().play({"server R 5002 -> reset", "client . 1102 ack 5002 -> established"});
}

BOOST_AUTO_TEST_CASE(after_a_cut_nothing_passes_but_a_clients_syn_asks_the_rules) {
    auto flow = established();
    flow.set_state(FlowState::cut);
    flow.play({"client P. 1101+5 ack 5001 -> cut, invalid", "server P. 5001+5 ack 1101 -> cut, invalid",
               "client R 1101             -> cut, invalid", "server F. 5001 ack 1101   -> cut, invalid",
               "server S. 5000 ack 1101   -> cut, invalid", "server S 5000             -> cut, invalid",
               "client S 7000             -> cut, reopen"});
}

// What is noted of the numbers

BOOST_AUTO_TEST_CASE(it_knows_what_each_side_expects_next) {
    auto open = established();
    BOOST_TEST(open.track().client.next == 1101U);
    BOOST_TEST(open.track().server.next == 5001U);
    open.play({"server P. 5001+1460 ack 1101 -> established", "server P. 6461+540 ack 1101  -> established",
               "client . 1101 ack 7001       -> established",
               "server P. 5001+1460 ack 1101 -> established",  // sent again: already acknowledged
               "client . 1100+1 ack 7001     -> established",  // keep-alive
               "client F. 1101 ack 7001      -> client-closed"});
    BOOST_TEST(open.track().client.next == 1102U);
    BOOST_TEST(open.track().server.next == 7001U);
    BOOST_TEST(open.track().client.ack == 7001U);
}

BOOST_AUTO_TEST_CASE(sequence_numbers_wrap_around) {
    TcpTranscript open;
    open.play({"client S 4294967290            -> syn-sent", "server S. 4294967295 ack 4294967291 -> syn-received",
               "client P. 4294967291+100 ack 0 -> established", "server . 0 ack 95              -> established",
               "server R 4294967295            -> established, quiet",
               "client F. 95 ack 0             -> client-closed", "server F. 0 ack 96             -> closing"});
    BOOST_TEST(open.track().client.next == 96U);
    BOOST_TEST(open.track().server.next == 1U);
    TcpTranscript window;
    window.play({"client S 1000                 -> syn-sent", "server S. 4294967000 ack 1001 -> syn-received",
                 "client . 1001 ack 4294967001 win 1000 -> established", "server . 4294967001 ack 1001  -> established",
                 "server R 705                  -> established, quiet", "server R 704                  -> reset"});
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_or_are_cut_off_are_passed_over) {
    struct Row {
        const char* sentence;
        std::vector<std::uint8_t> options;
        std::size_t snap;
        bool offers;
        int scale;
    };
    const std::size_t header = 14 + 20 + 20;
    for (const auto& row : std::vector<Row>{
             {"scale behind padding and another option", {1, 1, 2, 4, 5, 180, 3, 3, 7, 0, 0, 0}, 999, true, 7},
             {"no options", {}, 999, false, 0},
             {"end of options before it", {0, 3, 3, 7}, 999, false, 0},
             {"an option of length 0", {8, 0, 3, 3, 7, 1, 1, 1}, 999, false, 0},
             {"an option of length 1", {8, 1, 3, 3, 7, 1, 1, 1}, 999, false, 0},
             {"an option longer than the header", {8, 200, 3, 3}, 999, false, 0},
             {"a scale of the wrong length", {3, 4, 7, 7}, 999, false, 0},
             {"a scale whose value is behind the end", {1, 1, 3, 3}, 999, false, 0},
             {"a capture that ends before it", {1, 1, 1, 1, 3, 3, 7, 0}, header + 4, false, 0},
             {"a capture that ends within it", {1, 3, 3, 7}, header + 3, false, 0},
             {"a capture that ends behind it", {1, 3, 3, 7, 1, 1, 1, 1}, header + 4, true, 7},
         }) {
        BOOST_TEST_CONTEXT(row.sentence) {
            auto syn = support::tcp("198.51.100.7:40000", "203.0.113.10:50022").syn().seq(1000).snap(row.snap);
            syn.transport_byte(12, static_cast<std::uint8_t>((20 + row.options.size()) / 4 << 4));
            std::vector<std::byte> bytes;
            for (const auto value : row.options) bytes.push_back(std::byte{value});
            syn.payload(bytes);  // where the header says it has options
            const support::Decoded decoded{syn};
            BOOST_REQUIRE(decoded.packet.kind == captures::packet::Kind::tcp);
            FlowState state = FlowState::established;
            dnat::TcpTrack track;
            begin(state, track, decoded.packet);
            BOOST_TEST((state == FlowState::syn_sent));
            BOOST_TEST(track.client.offers_scale == row.offers);
            BOOST_TEST(track.client.scale == row.scale);
            BOOST_TEST(track.client.next == 1001U);
        }
    }
}

BOOST_AUTO_TEST_CASE(states_have_names_and_say_whether_silence_is_answered) {
    using enum FlowState;
    for (const auto state : {established, client_closed, server_closed}) BOOST_TEST(is_open(state));
    for (const auto state : {udp, syn_sent, syn_received, closing, reset, cut}) BOOST_TEST(!is_open(state));
    BOOST_TEST(to_string(udp) == "udp");
    BOOST_TEST(to_string(syn_received) == "syn-received");
    BOOST_TEST(to_string(cut) == "cut");
}

BOOST_AUTO_TEST_SUITE_END()
