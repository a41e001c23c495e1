{% macro duckdb__drop_relation(relation) -%}
    {% set dependents = '' if adapter.is_ducklake(relation) else ' cascade' %}
    {% call statement('drop_relation', auto_begin=False) -%}
        drop {{ relation.type }} if exists {{ relation }}{{ dependents }}
    {%- endcall %}
{% endmacro %}

{% macro duckdb__rename_relation(from_relation, to_relation) -%}
    {% set new_name = adapter.quote_as_configured(to_relation.identifier, 'identifier') %}
    {% call statement('rename_relation') -%}
        alter {{ to_relation.type }} {{ from_relation }} rename to {{ new_name }}
    {%- endcall %}
{% endmacro %}
