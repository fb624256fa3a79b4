// SPDX-License-Identifier: Apache-2.0

package rounds

import (
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Result is the line that is printed; see bench/peers/README.md.
type Result struct {
	Peer     string  `json:"peer"`
	Version  string  `json:"version"`
	Mode     string  `json:"mode"`
	Case     string  `json:"case"`
	Series   string  `json:"series"`
	LoadMs   float64 `json:"load_ms"`
	Requests int     `json:"requests"`
	Rounds   int     `json:"rounds"`
	MedianNs int64   `json:"median_ns"`
	P99Ns    int64   `json:"p99_ns"`
	MeanNs   float64 `json:"mean_ns"`
	Answers  string  `json:"answers"`
}

// Version gives that of a module that this program was built with.
func Version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == module {
				return dep.Version
			}
		}
	}
	return ""
}

// An Engine is a loaded case.  Prepare makes of a request what is asked, outside of the timing.
type Engine[Call any] struct {
	Prepare func(Request) Call
	Decide  func(Call) bool
}

// Main loads and asks each case of the command line.
func Main[Call any](peer, version, mode string, load func(dir string) Engine[Call]) {
	budget := flag.Int64("budget", 500, "milliseconds a case")
	flag.Parse()
	for _, dir := range flag.Args() {
		start := time.Now()
		engine := load(dir)
		result := Result{Peer: peer, Version: version, Mode: mode, Case: filepath.Base(dir),
			LoadMs: float64(time.Since(start).Nanoseconds()) / 1e6}
		Series(dir, func(series string, requests []Request) {
			result.Series = series
			measure(engine, requests, time.Duration(*budget)*time.Millisecond, &result)
			line, err := json.Marshal(result)
			Need(err)
			fmt.Println(string(line))
		})
	}
}

func median(list []int64) int64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func clockCost() int64 {
	list := make([]int64, 10001)
	for i := range list {
		list[i] = time.Since(time.Now()).Nanoseconds()
	}
	return median(list)
}

// As many requests as a quarter of the budget is enough for; their answers, and whether they are slow.
func reach[Call any](engine Engine[Call], requests []Request, budget time.Duration) (calls []Call, answers string, slow bool) {
	var text strings.Builder
	var first []int64
	start := time.Now()
	for _, request := range requests {
		if len(calls) >= 10 && time.Since(start) > budget/4 {
			break
		}
		call := engine.Prepare(request)
		before := time.Now()
		if engine.Decide(call) {
			text.WriteByte('1')
		} else {
			text.WriteByte('0')
		}
		first = append(first, time.Since(before).Nanoseconds())
		calls = append(calls, call)
	}
	return calls, text.String(), median(first) > budget.Nanoseconds()/10
}

func measure[Call any](engine Engine[Call], requests []Request, budget time.Duration, result *Result) {
	calls, answers, slow := reach(engine, requests, budget)
	least := 3
	if slow {
		least = 1
	}
	times := make([][]int64, len(calls))
	rounds := 0
	for start := time.Now(); rounds < 201 && (rounds < least || time.Since(start) < budget); rounds++ {
		for i, call := range calls {
			before := time.Now()
			engine.Decide(call)
			times[i] = append(times[i], time.Since(before).Nanoseconds())
		}
	}
	cost, sum := clockCost(), int64(0)
	medians := make([]int64, len(calls))
	for i := range calls {
		medians[i] = max(0, median(times[i])-cost)
		sum += medians[i]
	}
	slices.Sort(medians)
	result.Requests, result.Rounds, result.Answers = len(calls), rounds, answers
	result.MedianNs, result.P99Ns = medians[len(medians)/2], medians[len(medians)*99/100]
	result.MeanNs = float64(sum) / float64(len(medians))
}
