# SPDX-License-Identifier: Apache-2.0
package bench

principal := data.entities[input.principal]

resource := data.entities[input.resource]

viewing := {"readDocument", "listFolder"}

editing := {"readDocument", "listFolder", "writeDocument", "createDocument"}

granted if resource.attrs.owner == input.principal

granted if {
	input.action == "readDocument"
	resource.attrs.public
}

granted if {
	input.action in viewing
	some what, _ in resource.in
	data.links[input.principal][what].viewer
}

granted if {
	input.action in editing
	some who, _ in principal.in
	data.links[who][input.resource].editor
}

denied if data.entities[resource.attrs.owner].attrs.blocked[input.principal]

default allow := false

allow if {
	granted
	not denied
}
