# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

default allow := false

allow if {
	input.action == "readDocument"
	some who, _ in principal.in
	some what, _ in resource.in
	data.links[who][what].viewer
}

allow if {
	input.action in {"readDocument", "writeDocument"}
	some who, _ in principal.in
	some what, _ in resource.in
	data.links[who][what].editor
}
