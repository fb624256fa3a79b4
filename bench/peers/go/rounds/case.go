// SPDX-License-Identifier: Apache-2.0

// Package rounds is what the peers in Go share: reading a case, timing, the line that is printed.
package rounds

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// UID is an entity uid as the cases' JSON has it.
type UID struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (u UID) String() string { return u.Type + `::"` + u.ID + `"` }

// ParseUID reads Type::"id"; the generator's ids have nothing to escape.
func ParseUID(text string) UID {
	kind, id, _ := strings.Cut(text, `::"`)
	return UID{kind, strings.TrimSuffix(id, `"`)}
}

type Entity struct {
	UID     UID            `json:"uid"`
	Attrs   map[string]any `json:"attrs"`
	Parents []UID          `json:"parents"`
}

type Link struct {
	Template string            `json:"template_id"`
	ID       string            `json:"link_id"`
	Args     map[string]string `json:"args"`
}

type Request struct {
	Principal, Action, Resource string
}

func Need(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Read(dir, file string) []byte {
	text, err := os.ReadFile(filepath.Join(dir, file))
	Need(err)
	return text
}

func ReadEntities(dir string) (entities []Entity) {
	Need(json.Unmarshal(Read(dir, "entities.json"), &entities))
	return
}

func ReadLinks(dir string) (links []Link) {
	Need(json.Unmarshal(Read(dir, "links.json"), &links))
	return
}

// Kind gives SCENARIO of SCENARIO-N.
func Kind(dir string) string {
	name := filepath.Base(dir)
	return name[:strings.LastIndexByte(name, '-')]
}

// Series calls `ask` with each list of requests that the case has.
func Series(dir string, ask func(series string, requests []Request)) {
	for _, series := range []string{"all", "hot", "uniform"} {
		name := "requests." + series + ".jsonl"
		if series == "all" {
			name = "requests.jsonl"
		}
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		var requests []Request
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var request Request
			Need(json.Unmarshal(lines.Bytes(), &request))
			requests = append(requests, request)
		}
		file.Close()
		ask(series, requests)
	}
}

// Ref gives the uid of an attribute that is one.
func Ref(value any) (string, bool) {
	record, _ := value.(map[string]any)
	entity, ok := record["__entity"].(map[string]any)
	if !ok {
		return "", false
	}
	return UID{entity["type"].(string), entity["id"].(string)}.String(), true
}

// Ancestors gives each entity's, itself included.
func Ancestors(entities []Entity) map[string]map[string]bool {
	parents := make(map[string][]UID, len(entities))
	for _, entity := range entities {
		parents[entity.UID.String()] = entity.Parents
	}
	closed := make(map[string]map[string]bool, len(entities))
	var close func(uid string) map[string]bool
	close = func(uid string) map[string]bool {
		if set, done := closed[uid]; done {
			return set
		}
		set := map[string]bool{uid: true}
		closed[uid] = set
		for _, parent := range parents[uid] {
			for ancestor := range close(parent.String()) {
				set[ancestor] = true
			}
		}
		return set
	}
	for _, entity := range entities {
		close(entity.UID.String())
	}
	return closed
}
