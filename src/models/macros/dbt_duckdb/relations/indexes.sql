{% macro duckdb__get_create_index_sql(relation, index_dict) -%}
    {%- set wanted = adapter.parse_index(index_dict) -%}
    create {{ 'unique' if wanted.unique }} index "{{ wanted.render(relation) }}"
    on {{ relation }} ({{ wanted.columns | join(', ') }});
{%- endmacro %}

{# A table with indexes can be neither renamed nor altered. No transaction is begun: this runs after a commit too. #}
{% macro drop_indexes_on_relation(relation) -%}
    {% call statement('get_indexes_on_relation', fetch_result=True, auto_begin=False) %}
        select index_name
        from duckdb_indexes()
        where database_name = '{{ relation.database }}'
          and schema_name = '{{ relation.schema }}'
          and table_name = '{{ relation.identifier }}'
    {% endcall %}
    {% for found in load_result('get_indexes_on_relation').table %}
        {% call statement('drop_index_' ~ loop.index, auto_begin=False) %}
            drop index "{{ relation.database }}"."{{ relation.schema }}"."{{ found[0] }}"
        {% endcall %}
    {% endfor %}
{%- endmacro %}
