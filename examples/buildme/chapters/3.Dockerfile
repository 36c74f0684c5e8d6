# syntax=docker/dockerfile:1
# Chapter 3: several stages. The two build stages run side by side, a target builds only what leads
# to it, and the images hold one static binary each.
ARG GO_IMAGE=golang:1.24
FROM ${GO_IMAGE} AS base
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum .
RUN go mod download
COPY . .

FROM base AS build-client
RUN go build -o /bin/client ./cmd/client

FROM base AS build-server
RUN go build -o /bin/server ./cmd/server

FROM scratch AS client
COPY --from=build-client /bin/client /bin/
ENTRYPOINT [ "/bin/client" ]

FROM scratch AS server
COPY --from=build-server /bin/server /bin/
ENTRYPOINT [ "/bin/server" ]
