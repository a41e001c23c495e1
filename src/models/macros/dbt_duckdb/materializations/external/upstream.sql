{# For on-run-start: makes the views of the external models that this run reads and does not build. #}
{%- macro register_upstream_external_models() -%}
    {%- if execute -%}
        {%- set upstream = {} -%}
        {%- for id in selected_resources if id in graph['nodes'] -%}
            {%- for read in graph['nodes'][id]['depends_on']['nodes'] if read not in selected_resources -%}
                {%- set node = graph['nodes'].get(read) -%}
                {%- if node and node.resource_type in ('model', 'seed') and node.config.materialized == 'external' -%}
                    {%- do upstream.update({read: node}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}

        {%- for node in upstream.values() -%}
            {%- set view = api.Relation.create(database=node['database'], schema=node['schema'], identifier=node['alias']) -%}
            {%- set location = node.config.get('location', external_location(view, node.config)) -%}
            {%- set file = adapter.external_read_location(location, render_write_options(node.config)) -%}
            {% call statement('main', language='sql') -%}
                create schema if not exists {{ view.without_identifier() }}
            {%- endcall %}
            {% call statement('main', language='sql') -%}
                create or replace view {{ view }} as (select * from '{{ file }}');
            {%- endcall %}
        {%- endfor -%}
        {%- if upstream -%}
            {%- do adapter.commit() -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}
